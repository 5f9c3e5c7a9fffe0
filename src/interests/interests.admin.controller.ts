import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { ApiIdParam } from '../platform/http/api-properties.js';
import { ApiProblems } from '../platform/http/api-problems.decorator.js';
import { Client, type ClientInfo } from '../platform/http/client-info.decorator.js';
import { type Caller, CurrentUser } from '../platform/http/current-user.decorator.js';
import { pageOf, toPage } from '../platform/http/page.dto.js';
import { RequireRole } from '../platform/http/require-role.decorator.js';
import {
  AdministeredInterestDto,
  AdministeredInterestsDto,
  ChangeEventInterestDto,
  CreateEventInterestDto,
  EventInterestsQueryDto,
  interestCursor,
  toAdministeredInterestDto,
  toInterestChanges,
  toNewInterest,
} from './interests.admin.dto.js';
import { InterestsAdministration } from './interests-administration.service.js';

@ApiTags('Administration')
@ApiBearerAuth('access_token')
@RequireRole('admin')
@Controller('api/admin/event-interests')
export class InterestsAdminController {
  constructor(private readonly interests: InterestsAdministration) {}

  /** Lists all interests, inactive ones too, by name. */
  @Get()
  async allEventInterests(@Query() query: EventInterestsQueryDto): Promise<AdministeredInterestsDto> {
    const page = toPage(query, interestCursor);
    const interests = await this.interests.list({ limit: page.limit + 1, after: page.after?.after });
    const { items, nextCursor } = pageOf(interests, page, interestCursor, ({ nameKey }) => ({
      after: nameKey,
    }));
    return { items: items.map(toAdministeredInterestDto), next_cursor: nextCursor };
  }

  /**
   * Adds an interest.
   *
   * Its slug is made of the name, in Latin letters, with a number behind it where another interest has or had the same.
   */
  @Post()
  @ApiProblems('interest_name_taken')
  async createEventInterest(
    @CurrentUser() caller: Caller,
    @Client() client: ClientInfo,
    @Body() body: CreateEventInterestDto,
  ): Promise<AdministeredInterestDto> {
    return toAdministeredInterestDto(await this.interests.create(toNewInterest(body), caller, client));
  }

  /**
   * Changes an interest.
   *
   * Fields that are left out stay as they are: a new name leaves the slug. A slug that is replaced still names the
   * interest, and can be given back to it, but never to another. An inactive interest is off the public list and cannot
   * be chosen; profiles that have it keep it until they choose anew.
   */
  @Patch(':id')
  @ApiIdParam()
  @ApiProblems('not_found', 'interest_name_taken', 'interest_slug_taken')
  async changeEventInterest(
    @CurrentUser() caller: Caller,
    @Client() client: ClientInfo,
    @Param('id') id: string,
    @Body() body: ChangeEventInterestDto,
  ): Promise<AdministeredInterestDto> {
    return toAdministeredInterestDto(
      await this.interests.change(id, toInterestChanges(body), caller, client),
    );
  }
}
