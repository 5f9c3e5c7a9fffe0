import { Controller, Delete, Get, HttpCode, HttpStatus, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { ApiIdParam } from '../../platform/http/api-properties.js';
import { ApiProblems } from '../../platform/http/api-problems.decorator.js';
import { Client, type ClientInfo } from '../../platform/http/client-info.decorator.js';
import { type Caller, CurrentUser } from '../../platform/http/current-user.decorator.js';
import { SessionsDto, toSessionDto } from './sessions.dto.js';
import { SessionEndings } from './session-endings.service.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Sessions')
@ApiBearerAuth('access_token')
@Controller('api/auth/sessions')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly endings: SessionEndings,
  ) {}

  /** Lists the devices on which the caller is signed in, at most 20. */
  @Get()
  async sessionList(@CurrentUser() { userId, sessionId }: Caller): Promise<SessionsDto> {
    const sessions = await this.sessions.list(userId);
    return { items: sessions.map((session) => toSessionDto(session, sessionId)) };
  }

  /** Signs the caller out everywhere else. */
  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  async endOtherSessions(@CurrentUser() caller: Caller, @Client() client: ClientInfo): Promise<void> {
    await this.endings.endOthers(caller, client);
  }

  /** Signs one device out; that of this request, too. */
  @Delete(':id')
  @ApiIdParam()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiProblems('not_found')
  async endSession(
    @CurrentUser() caller: Caller,
    @Client() client: ClientInfo,
    @Param('id') id: string,
  ): Promise<void> {
    await this.endings.end(id, caller, client);
  }
}
