import { Controller, Delete, Get, HttpCode, HttpStatus, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { ApiIdParam } from '../platform/http/api-properties.js';
import { ApiProblems } from '../platform/http/api-problems.decorator.js';
import { type Caller, CurrentUser } from '../platform/http/current-user.decorator.js';
import { SessionsDto, toSessionDto } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Sessions')
@ApiBearerAuth('access_token')
@Controller('api/auth/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  /** Lists the devices on which the caller is signed in, at most 20. */
  @Get()
  async sessionList(@CurrentUser() { userId, sessionId }: Caller): Promise<SessionsDto> {
    const sessions = await this.sessions.list(userId);
    return { items: sessions.map((session) => toSessionDto(session, sessionId)) };
  }

  /** Signs the caller out everywhere else. */
  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  async endOtherSessions(@CurrentUser() caller: Caller): Promise<void> {
    await this.sessions.endOthers(caller);
  }

  /** Signs one device out; that of this request, too. */
  @Delete(':id')
  @ApiIdParam()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiProblems('not_found')
  async endSession(@CurrentUser() { userId }: Caller, @Param('id') id: string): Promise<void> {
    await this.sessions.end(id, userId);
  }
}
