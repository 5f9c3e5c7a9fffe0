import { Controller, Delete, Get, HttpCode, HttpStatus, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';

import { AuditLog } from '../../audit/audit-log.js';
import { ApiProblems } from '../../platform/http/api-problems.decorator.js';
import { Client, type ClientInfo } from '../../platform/http/client-info.decorator.js';
import { type Caller, CurrentUser } from '../../platform/http/current-user.decorator.js';
import { idCursor } from '../../platform/http/cursor.js';
import { RouteLimit } from '../../platform/http/limits/route-limit.decorator.js';
import { PageQueryDto, pageOf, toPage } from '../../platform/http/page.dto.js';
import { jsonText } from '../../platform/http/streamed-json.js';
import { spool } from '../../platform/spool.js';
import { ProfilePresenter } from '../../users/profile-presenter.js';
import { AccountDeletion } from './account-deletion.service.js';
import { AccountExportDto, toAccountExportDto } from './account-export.dto.js';
import { AccountExports } from './account-export.service.js';
import { ActivitiesDto, toActivityDto } from './activity.dto.js';
import { TakesErased } from './takes-erased.decorator.js';

@ApiTags('Account')
@ApiBearerAuth('access_token')
@Controller('api/auth')
export class AccountController {
  constructor(
    private readonly deletion: AccountDeletion,
    private readonly exports: AccountExports,
    private readonly audit: AuditLog,
    private readonly profiles: ProfilePresenter,
  ) {}

  /**
   * Deletes the caller's account, for good.
   *
   * Profile, pictures, interests, sessions and codes are erased, and the number is free for a new account at once.
   * Needs a sign-in within the last ten minutes. Safe to repeat where the answer was lost.
   */
  @Delete('account')
  @TakesErased()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiProblems('test_account', 'reauthentication_required')
  async deleteAccount(@CurrentUser() caller: Caller): Promise<void> {
    await this.deletion.delete(caller);
  }

  /**
   * Gives out all that is kept about the caller, as one document.
   *
   * Needs a sign-in within the last ten minutes. What is missing are secrets (hashes of codes, salts of sessions): they
   * say nothing about a person.
   */
  @Get('account/export')
  @RouteLimit(10)
  @ApiOkResponse({ type: AccountExportDto })
  @ApiProblems('test_account', 'reauthentication_required')
  async accountExport(@CurrentUser() caller: Caller, @Client() client: ClientInfo): Promise<StreamableFile> {
    // Written to the end before anything is answered: a slow client holds up nothing but its own connection, and what
    // fails is still told.
    const { stream, bytes } = await spool((append) =>
      this.exports.make(caller, client, (exported) =>
        append(jsonText(toAccountExportDto(exported, this.profiles.present(exported.profile)))),
      ),
    );
    return new StreamableFile(stream, {
      type: 'application/json; charset=utf-8',
      disposition: 'attachment; filename="account.json"',
      length: bytes,
    });
  }

  /** Lists what the caller did, and what was done to the account: sign-ins, ended sessions, changes of the number. */
  @Get('activity')
  async activity(@CurrentUser() { userId }: Caller, @Query() query: PageQueryDto): Promise<ActivitiesDto> {
    const page = toPage(query, idCursor);
    const entries = await this.audit.listOf(userId, { ...page, limit: page.limit + 1 });
    const { items, nextCursor } = pageOf(entries, page, idCursor, ({ id }) => id);
    return { items: items.map((entry) => toActivityDto(entry, userId)), next_cursor: nextCursor };
  }
}
