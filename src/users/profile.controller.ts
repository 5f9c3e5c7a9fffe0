import { Body, Controller, Get, Headers, HttpCode, HttpStatus, Patch, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { ApiProblems } from '../platform/http/api-problems.decorator.js';
import { answerConditionally, ApiConditional, versionsOfIfMatch } from '../platform/http/conditional.js';
import { type Caller, CurrentUser } from '../platform/http/current-user.decorator.js';
import { Faults } from '../platform/http/deferred-faults.js';
import type { Profile } from './profile.js';
import { ProfileDto } from './profile.dto.js';
import { ChangeProfileDto, CompleteProfileDto, toProfileChanges } from './profile-changes.dto.js';
import { ProfilePresenter } from './profile-presenter.js';
import { ProfilesService } from './profiles.service.js';

@ApiTags('Profile')
@ApiBearerAuth('access_token')
@Controller('api/auth')
export class ProfileController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly presenter: ProfilePresenter,
  ) {}

  /**
   * Completes the caller's profile, once.
   *
   * At least one picture must have been uploaded before. All faults are told in one answer.
   */
  @Post('complete-profile')
  @HttpCode(HttpStatus.OK)
  @ApiProblems('profile_already_completed')
  async completeProfile(
    @CurrentUser() { userId }: Caller,
    @Body() body: CompleteProfileDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProfileDto | undefined> {
    return this.answer(reply, await this.profiles.complete(userId, toProfileChanges(body), new Faults(body)));
  }

  /**
   * Shows the caller's own profile.
   *
   * Send the `ETag` back as `If-None-Match`, and 304 says that nothing has changed.
   */
  @Get('profile')
  @ApiConditional()
  async profile(
    @CurrentUser() { userId }: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProfileDto | undefined> {
    return this.answer(reply, await this.profiles.read(userId));
  }

  /**
   * Changes the caller's profile.
   *
   * Fields that are left out stay as they are. With the `ETag` of the profile as `If-Match` nobody's change is lost:
   * 412 says that it has changed since.
   */
  @Patch('profile')
  @ApiHeader({ name: 'If-Match', required: false, schema: { type: 'string' } })
  @ApiProblems('profile_changed')
  async changeProfile(
    @CurrentUser() { userId }: Caller,
    @Body() body: ChangeProfileDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProfileDto | undefined> {
    const versions = versionsOfIfMatch(ifMatch);
    const faults = new Faults(body);
    return this.answer(reply, await this.profiles.change(userId, toProfileChanges(body), versions, faults));
  }

  private answer(reply: FastifyReply, profile: Profile): ProfileDto | undefined {
    return answerConditionally(reply, this.presenter.present(profile), {
      version: profile.version,
      cacheControl: 'private, no-cache',
    });
  }
}
