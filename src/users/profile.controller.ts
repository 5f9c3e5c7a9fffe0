import { Controller, Get, Inject } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { type Clock, CLOCK } from '../platform/clock.js';
import { type Caller, CurrentUser } from '../platform/http/current-user.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { ProfileDto, toProfileDto } from './profile.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('Profile')
@ApiBearerAuth('access_token')
@Controller('api/auth/profile')
export class ProfileController {
  constructor(
    private readonly users: UsersService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Shows the caller's own profile. */
  @Get()
  async profile(@CurrentUser() caller: Caller): Promise<ProfileDto> {
    const profile = await this.users.profile(caller.userId);
    // Deleted between the token's check and now.
    if (!profile) throw new Problem('access_token_invalid');
    return toProfileDto(profile, this.clock.now());
  }
}
