import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger';

import { ApiProblems } from '../platform/http/api-problems.decorator.js';
import { Client, type ClientInfo } from '../platform/http/client-info.decorator.js';
import { type Caller, OptionalUser } from '../platform/http/current-user.decorator.js';
import { ApiIdempotencyKey, IdempotencyKey } from '../platform/http/idempotency-key.js';
import { NeverUncounted } from '../platform/http/limits/never-uncounted.decorator.js';
import { Public, TokenOptional } from '../platform/http/public.decorator.js';
import { ProfilePresenter } from '../users/profile-presenter.js';
import {
  LogoutDto,
  RefreshDto,
  SignupAnswerDto,
  SignupDto,
  TokensDto,
  toSignupAnswerDto,
  toTokensDto,
  toVerifyOtpAnswerDto,
  VerifyOtpAnswerDto,
  VerifyOtpDto,
} from './auth.dto.js';
import { AuthService } from './auth.service.js';
import { SessionsService } from './sessions/sessions.service.js';

@ApiTags('Sign-in')
@Controller('api/auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
    private readonly profiles: ProfilePresenter,
  ) {}

  /**
   * Texts a code to a phone number.
   *
   * One endpoint for new and known numbers; its answer never tells which. After `resend_in` seconds a new code can be
   * asked for, which replaces the earlier one of the same `code_challenge` (or of none).
   */
  @Public()
  @NeverUncounted()
  @Post('signup')
  @HttpCode(HttpStatus.OK)
  @ApiProblems(
    'phone_number_invalid',
    'phone_number_unsupported',
    'phone_number_unreachable',
    'otp_cooldown',
    'otp_limit_reached',
    'rate_limited',
    'idempotency_key_reused',
    'sms_unavailable',
  )
  @ApiIdempotencyKey()
  async signup(
    @Body() body: SignupDto,
    @Client() client: ClientInfo,
    @IdempotencyKey() key: string | undefined,
  ): Promise<SignupAnswerDto> {
    const {
      phone_number: phoneNumber,
      code_challenge: codeChallenge,
      min_code_length: minCodeLength,
      device_token: deviceToken,
      app,
    } = body;
    const idempotency = key === undefined ? undefined : { key, body: fingerprintOf(body) };
    const { ip: clientIp } = client;
    const request = { phoneNumber, codeChallenge, minCodeLength, deviceToken, app, clientIp, idempotency };
    return toSignupAnswerDto(await this.auth.signUp(request));
  }

  /**
   * Trades a code for a session.
   *
   * A code takes three guesses and opens one session. A code asked for with a `code_challenge` is only there for its
   * `code_verifier`.
   */
  @Public()
  @NeverUncounted()
  @Post('verify-otp')
  @HttpCode(HttpStatus.OK)
  @ApiProblems(
    'otp_invalid',
    'account_suspended',
    'otp_not_found',
    'otp_expired',
    'phone_number_invalid',
    'phone_number_unsupported',
    'otp_attempts_exceeded',
    'otp_limit_reached',
    'rate_limited',
  )
  @ApiIdempotencyKey()
  async verifyOtp(
    @Body() body: VerifyOtpDto,
    @Client() client: ClientInfo,
    @IdempotencyKey() key: string | undefined,
  ): Promise<VerifyOtpAnswerDto> {
    const { phone_number: phoneNumber, otp_code: code, code_verifier: codeVerifier, device_name } = body;
    const guess = { phoneNumber, code, codeVerifier, deviceName: device_name || null };
    const signedIn = await this.auth.verify(guess, client, key);
    return toVerifyOtpAnswerDto(signedIn, this.profiles.present(signedIn.profile));
  }

  /**
   * Trades a refresh token for new tokens.
   *
   * Every refresh rotates: keep the new token. Where the answer was lost, the same request within 30 seconds answers
   * the same successor; a later repeat ends the session, since then two have the token.
   */
  @Public()
  @Post('refresh')
  @HttpCode(HttpStatus.OK)
  @ApiProblems('refresh_token_invalid', 'refresh_token_reused')
  @ApiIdempotencyKey()
  async refresh(
    @Body() { refresh_token }: RefreshDto,
    @Client() client: ClientInfo,
    @IdempotencyKey() key: string | undefined,
  ): Promise<TokensDto> {
    return toTokensDto(await this.sessions.refresh(refresh_token, client, key));
  }

  /**
   * Logs out.
   *
   * With an access token its session ends. An app whose access token has expired sends its `refresh_token` instead,
   * and is answered 204 whatever that is.
   */
  @TokenOptional()
  @ApiBearerAuth('access_token')
  @Post('logout')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiBody({ type: LogoutDto, required: false })
  async logout(
    @OptionalUser() caller: Caller | undefined,
    @Body() body: LogoutDto,
    @Client() client: ClientInfo,
  ): Promise<void> {
    await this.auth.logOut(caller, body.refresh_token, client);
  }
}

/** The same for the same fields, in whatever order they came. */
function fingerprintOf(body: object): string {
  return JSON.stringify(Object.entries(body).sort(([one], [other]) => (one < other ? -1 : 1)));
}
