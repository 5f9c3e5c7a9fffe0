import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { ApiProblems } from '../../platform/http/api-problems.decorator.js';
import { Client, type ClientInfo } from '../../platform/http/client-info.decorator.js';
import { type Caller, CurrentUser } from '../../platform/http/current-user.decorator.js';
import { NeverUncounted } from '../../platform/http/limits/never-uncounted.decorator.js';
import { ProfilePresenter } from '../../users/profile-presenter.js';
import { SignupAnswerDto, toSignupAnswerDto } from '../auth.dto.js';
import { ChangePhoneNumberDto, PhoneNumberChangedDto, VerifyPhoneNumberDto } from './phone-change.dto.js';
import { PhoneChange } from './phone-change.service.js';

@ApiTags('Account')
@ApiBearerAuth('access_token')
@Controller('api/auth/phone-number')
export class PhoneChangeController {
  constructor(
    private readonly phoneChange: PhoneChange,
    private readonly profiles: ProfilePresenter,
  ) {}

  /**
   * Texts a code to the number that the caller wants to move to.
   *
   * Needs a sign-in within the last 10 minutes. The answer never tells whether the number has an account. At most 3 a
   * day.
   */
  @NeverUncounted()
  @Post()
  @HttpCode(HttpStatus.OK)
  @ApiProblems(
    'test_account',
    'reauthentication_required',
    'phone_number_invalid',
    'phone_number_unsupported',
    'phone_number_unreachable',
    'otp_limit_reached',
    'otp_cooldown',
    'rate_limited',
    'sms_unavailable',
  )
  async changePhoneNumber(
    @CurrentUser() caller: Caller,
    @Body() { phone_number }: ChangePhoneNumberDto,
    @Client() client: ClientInfo,
  ): Promise<SignupAnswerDto> {
    return toSignupAnswerDto(await this.phoneChange.request(caller, phone_number, client));
  }

  /**
   * Trades the code for the move to the new number.
   *
   * Needs a sign-in within the last 10 minutes. This session goes on, with its tokens; the caller's other sessions end,
   * and the old number is told by text.
   */
  @NeverUncounted()
  @Post('verify')
  @HttpCode(HttpStatus.OK)
  @ApiProblems(
    'test_account',
    'reauthentication_required',
    'otp_invalid',
    'otp_not_found',
    'phone_number_taken',
    'otp_expired',
    'phone_number_invalid',
    'phone_number_unsupported',
    'otp_attempts_exceeded',
    'otp_limit_reached',
    'rate_limited',
  )
  async verifyPhoneNumber(
    @CurrentUser() caller: Caller,
    @Body() { phone_number: phoneNumber, otp_code: code }: VerifyPhoneNumberDto,
    @Client() client: ClientInfo,
  ): Promise<PhoneNumberChangedDto> {
    const { profile, deviceToken } = await this.phoneChange.verify(caller, { phoneNumber, code }, client);
    return { user: this.profiles.present(profile), device_token: deviceToken };
  }
}
