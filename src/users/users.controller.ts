import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';

import { ApiIdParam } from '../platform/http/api-properties.js';
import { ApiProblems } from '../platform/http/api-problems.decorator.js';
import { RouteLimit } from '../platform/http/limits/route-limit.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { PictureUrls } from '../pictures/picture-urls.js';
import {
  PublicProfileDto,
  PublicProfilesDto,
  PublicProfilesQueryDto,
  toPublicProfileDto,
} from './public-profile.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('Users')
@ApiBearerAuth('access_token')
@Controller('api/users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly urls: PictureUrls,
  ) {}

  /** Shows what others may see of up to a hundred users, in the order asked. */
  @Get()
  @RouteLimit(120)
  @ApiQuery({
    name: 'ids',
    schema: { type: 'string', example: '01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07' },
  })
  async publicProfiles(@Query() { ids }: PublicProfilesQueryDto): Promise<PublicProfilesDto> {
    const profiles = await this.users.publicProfiles(ids);
    return { items: profiles.map((profile) => toPublicProfileDto(profile, this.urls)) };
  }

  /**
   * Shows what others may see of a user.
   *
   * Users that are deleted, suspended, or have not completed their profile are not there.
   */
  @Get(':id')
  @ApiIdParam()
  @ApiProblems('not_found')
  async publicProfile(@Param('id') id: string): Promise<PublicProfileDto> {
    const [profile] = isUUID(id) ? await this.users.publicProfiles([id]) : [];
    if (!profile) throw new Problem('not_found');
    return toPublicProfileDto(profile, this.urls);
  }
}
