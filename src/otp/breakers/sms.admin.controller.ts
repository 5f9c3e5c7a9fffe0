import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { Client, type ClientInfo } from '../../platform/http/client-info.decorator.js';
import { type Caller, CurrentUser } from '../../platform/http/current-user.decorator.js';
import { RequireRole } from '../../platform/http/require-role.decorator.js';
import {
  BreakerDto,
  BreakerScopeDto,
  SetBreakerDto,
  SmsStatusDto,
  SmsStatusQueryDto,
  toBreakerDto,
  toSmsStatusDto,
} from './sms.admin.dto.js';
import { SmsAdministration } from './sms-administration.service.js';

@ApiTags('Administration')
@ApiBearerAuth('access_token')
@RequireRole('admin')
@Controller('api/admin/sms')
export class SmsAdminController {
  constructor(private readonly sms: SmsAdministration) {}

  /**
   * Shows how texts fare: by country and prefix how many were sent, whose codes were entered, and what is stopped, why.
   */
  @Get()
  async smsStatus(@Query() { limit = 50, country }: SmsStatusQueryDto): Promise<SmsStatusDto> {
    return toSmsStatusDto(await this.sms.status({ limit, country }));
  }

  /**
   * Opens or closes a breaker by hand, or leaves it to its rules again.
   *
   * Open, it stops texts to numbers that have never signed in, but for one each five minutes; those that have, and
   * requests with a good `device_token`, always pass. From `closed` or `open` to `auto` it starts afresh: what was sent
   * before is not held against it.
   */
  @Put('breakers/:scope')
  async setBreaker(
    @CurrentUser() caller: Caller,
    @Client() client: ClientInfo,
    @Param() { scope }: BreakerScopeDto,
    @Body() { state }: SetBreakerDto,
  ): Promise<BreakerDto> {
    return toBreakerDto(await this.sms.setBreaker(scope, state, caller, client));
  }
}
