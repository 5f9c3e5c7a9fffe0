import { Body, Controller, Delete, HttpCode, HttpStatus, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { type Caller, CurrentUser } from '../../platform/http/current-user.decorator.js';
import { PushTokenDto } from './push-tokens.dto.js';
import { PushTokens } from './push-tokens.service.js';

@ApiTags('Account')
@ApiBearerAuth('access_token')
@Controller('api/auth/push-token')
export class PushTokensController {
  constructor(private readonly pushTokens: PushTokens) {}

  /**
   * Says where to push to this device.
   *
   * Belongs to the session and ends with it. A token that another session has registered moves to this one.
   */
  @Put()
  @HttpCode(HttpStatus.NO_CONTENT)
  async registerPushToken(
    @CurrentUser() { sessionId }: Caller,
    @Body() { platform, token }: PushTokenDto,
  ): Promise<void> {
    await this.pushTokens.register(sessionId, platform, token);
  }

  /** Stops pushes to this device, if there are any. */
  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  async removePushToken(@CurrentUser() { sessionId }: Caller): Promise<void> {
    await this.pushTokens.unregister(sessionId);
  }
}
