import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { ApiIdParam } from '../../platform/http/api-properties.js';
import { ApiProblems } from '../../platform/http/api-problems.decorator.js';
import { Client, type ClientInfo } from '../../platform/http/client-info.decorator.js';
import { type Caller, CurrentUser } from '../../platform/http/current-user.decorator.js';
import { RouteLimit } from '../../platform/http/limits/route-limit.decorator.js';
import { toPage } from '../../platform/http/page.dto.js';
import { RequireRole } from '../../platform/http/require-role.decorator.js';
import { ProfilePresenter } from '../../users/profile-presenter.js';
import { userCursor, UserSearch } from '../../users/user-search.js';
import { UserDetails } from './user-details.service.js';
import { UserModeration } from './user-moderation.service.js';
import {
  SuspendUserDto,
  toUserDetailsDto,
  toUserDto,
  UserDetailsDto,
  UsersDto,
  UserSearchQueryDto,
} from './users.admin.dto.js';

@ApiTags('Administration')
@ApiBearerAuth('access_token')
@RequireRole('admin')
@Controller('api/admin/users')
export class UsersAdminController {
  constructor(
    private readonly search: UserSearch,
    private readonly details: UserDetails,
    private readonly moderation: UserModeration,
    private readonly profiles: ProfilePresenter,
  ) {}

  /**
   * Finds users by number, id or the beginning of their name, or lists all.
   *
   * Those of a name come by name, all others the newest first. A cursor is good for the search that it came from.
   */
  @Get()
  @RouteLimit(120)
  async findUsers(@Query() query: UserSearchQueryDto): Promise<UsersDto> {
    const { q = '', status } = query;
    const { items, nextCursor } = await this.search.find(q, status, toPage(query, userCursor));
    return { items: items.map(toUserDto), next_cursor: nextCursor };
  }

  /**
   * Shows a user: account, profile, sessions, suspension, and what happened last.
   *
   * Of a deleted user the id is left, and the audit log under it.
   */
  @Get(':id')
  @ApiIdParam()
  @ApiProblems('not_found')
  userDetails(@Param('id') id: string): Promise<UserDetailsDto> {
    return this.show(id);
  }

  /**
   * Suspends a user, who is signed out everywhere at once, and cannot sign in any more.
   *
   * Safe to repeat. With another reason, that takes the place of the one before. A deleted user is not found.
   */
  @Post(':id/suspend')
  @ApiIdParam()
  @HttpCode(HttpStatus.OK)
  @ApiProblems('not_found', 'cannot_suspend_yourself')
  async suspendUser(
    @Param('id') id: string,
    @Body() { reason }: SuspendUserDto,
    @CurrentUser() caller: Caller,
    @Client() client: ClientInfo,
  ): Promise<UserDetailsDto> {
    await this.moderation.suspend(id, reason, { caller, client });
    return this.show(id);
  }

  /**
   * Lets a suspended user sign in again.
   *
   * Sessions of before stay ended. Safe to repeat. A deleted user is not found.
   */
  @Post(':id/reactivate')
  @ApiIdParam()
  @HttpCode(HttpStatus.OK)
  @ApiProblems('not_found')
  async reactivateUser(
    @Param('id') id: string,
    @CurrentUser() caller: Caller,
    @Client() client: ClientInfo,
  ): Promise<UserDetailsDto> {
    await this.moderation.reactivate(id, { caller, client });
    return this.show(id);
  }

  /** Signs a user out everywhere. A deleted user is not found. */
  @Delete(':id/sessions')
  @ApiIdParam()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiProblems('not_found')
  async endSessionsOfUser(
    @Param('id') id: string,
    @CurrentUser() caller: Caller,
    @Client() client: ClientInfo,
  ): Promise<void> {
    await this.moderation.endSessions(id, { caller, client });
  }

  private async show(id: string): Promise<UserDetailsDto> {
    return toUserDetailsDto(await this.details.read(id), this.profiles);
  }
}
