import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsString, Matches, Max, MaxLength, Min, ValidateBy } from 'class-validator';

import { CODE_CHALLENGE, CODE_VERIFIER } from '../otp/code-challenge.js';
import { otpConfig } from '../otp/otp.config.js';
import type { OtpSent } from '../otp/otp-request.js';
import { Omittable, Optional } from '../platform/http/optional.decorator.js';
import type { Configuration } from '../platform/config/load-config.js';
import { ApiInteger } from '../platform/http/api-properties.js';
import { IsText } from '../platform/http/text.decorators.js';
import type { FieldFault } from '../platform/http/problem-catalogue.js';
import { smsConfig } from '../sms/sms.config.js';
import { ProfileDto } from '../users/profile.dto.js';
import type { SignedIn } from './auth.service.js';
import type { Tokens } from './sessions/sessions.service.js';

/** A language tag (BCP 47). */
const IsLanguageTag = (): PropertyDecorator =>
  ValidateBy({
    name: 'isLanguageTag',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isLanguageTag(value),
      defaultMessage: () => '$property must be a language tag (BCP 47), like pt-BR',
    },
  });

function isLanguageTag(value: string): boolean {
  try {
    return Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
}

const Trim = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));

export class SignupDto {
  /**
   * With + and country code; spaces, dots, dashes and parentheses are fine.
   * @example "+1 (415) 555-2671"
   */
  @IsString()
  phone_number!: string;

  /**
   * Base64url of the SHA-256 of a `code_verifier` that only this client knows (RFC 7636, S256). Binds the code to the
   * client: nobody else can guess at it, or use it up.
   * @example "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
   */
  @Optional()
  @IsString()
  @Matches(CODE_CHALLENGE, { message: '$property must be 43 characters of base64url' })
  code_challenge?: string;

  /**
   * At least so many digits.
   * @example 4
   */
  @ApiInteger()
  @Optional()
  @IsInt()
  @Min(4)
  @Max(8)
  min_code_length?: number;

  /**
   * The `device_token` of an earlier sign-in on this device. One that is not good is ignored.
   * @example "TZbLVZlCGnO25PhSl38xjRookxO1BNVZdiA1w-YffkrGhROGpwiIiKJihaGkaX3ChmYyrw"
   */
  @Optional()
  @IsString()
  device_token?: string;

  /**
   * Language of the text (BCP 47).
   * @example "pt-BR"
   */
  @Optional()
  @IsString()
  @MaxLength(64)
  @IsLanguageTag()
  locale?: string;

  /**
   * `ios`, `android`, or the name of a configured hash of Android's SMS Retriever.
   * @example "ios"
   */
  @Optional()
  @IsString()
  app?: string;

  /** The rules that depend on the configuration. */
  static faultsUnder(
    configuration: Configuration,
    { app, code_challenge }: Partial<SignupDto>,
  ): FieldFault[] {
    const faults: FieldFault[] = [];
    if (typeof app === 'string' && !isKnownApp(app, configuration)) {
      const message = 'app must be ios, android or the name of a configured hash';
      faults.push({ field: 'app', code: 'not_allowed', message });
    }
    if (configuration.get(otpConfig).requireChallenge && (code_challenge ?? undefined) === undefined) {
      faults.push({ field: 'code_challenge', code: 'required', message: 'code_challenge is missing' });
    }
    return faults;
  }
}

function isKnownApp(app: string, configuration: Configuration): boolean {
  return app === 'ios' || app === 'android' || configuration.get(smsConfig).androidAppHashes.has(app);
}

export class SignupAnswerDto {
  /** E.164. @example "+14155552671" */
  phone_number!: string;
  /** Digits of the code: show so many boxes. @example 4 */
  @ApiInteger()
  code_length!: number;
  /** Seconds until the code expires. @example 600 */
  @ApiInteger()
  expires_in!: number;
  /** Seconds until another code can be asked for. @example 30 */
  @ApiInteger()
  resend_in!: number;
  /** Guesses on the code. @example 3 */
  @ApiInteger()
  attempts!: number;
}

export class VerifyOtpDto {
  /** @example "+14155552671" */
  @IsString()
  phone_number!: string;

  /**
   * 4 to 8 digits.
   * @example "4821"
   */
  @Trim()
  @IsString()
  @Matches(/^[0-9]{4,8}$/, { message: '$property must be 4 to 8 digits' })
  otp_code!: string;

  /**
   * What the `code_challenge` was made of (RFC 7636).
   * @example "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
   */
  @Optional()
  @IsString()
  @Matches(CODE_VERIFIER, { message: '$property must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~' })
  code_verifier?: string;

  /**
   * How the user would call the device, for their list of sessions.
   * @example "Pixel 9"
   */
  @Optional()
  @IsText({ max: 100 })
  device_name?: string;
}

export class TokensDto {
  /** @example "Bearer" */
  token_type!: 'Bearer';
  /**
   * A JWT (RFC 9068, ES256); send it as `Authorization: Bearer`.
   * @example "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Im9LSXkifQ.eyJzdWIiOiIwMTkzNWIyZSJ9.kx3T"
   */
  access_token!: string;
  /** Seconds until the access token expires. @example 900 */
  @ApiInteger()
  expires_in!: number;
  /**
   * Good for one refresh. Keep it where only the app can read it.
   * @example "TZbLVQGiCsG0r3FHp2uPB-o7nF4AAAAAekWJhWBZpvn5DwYtW51pFj17qw0SB7QY9dnuV9eDzDA"
   */
  refresh_token!: string;
  /** Seconds until the session ends if it is not used. @example 2592000 */
  @ApiInteger()
  refresh_expires_in!: number;
}

export class VerifyOtpAnswerDto extends TokensDto {
  /**
   * Send it with the next signup of this device; it proves nothing but that this device signed in before.
   * @example "TZbLVZlCGnO25PhSl38xjRookxO1BNVZdiA1w-YffkrGhROGpwiIiKJihaGkaX3ChmYyrw"
   */
  device_token!: string;
  is_new_user!: boolean;
  needs_profile_completion!: boolean;
  user!: ProfileDto;
}

export class RefreshDto {
  /**
   * The newest one of this session.
   * @example "TZbLVQGiCsG0r3FHp2uPB-o7nF4AAAAAekWJhWBZpvn5DwYtW51pFj17qw0SB7QY9dnuV9eDzDA"
   */
  @IsString()
  refresh_token!: string;
}

export class LogoutDto {
  /**
   * Instead of an access token: any refresh token of the session.
   * @example "TZbLVQGiCsG0r3FHp2uPB-o7nF4AAAAAekWJhWBZpvn5DwYtW51pFj17qw0SB7QY9dnuV9eDzDA"
   */
  @Omittable()
  @ApiPropertyOptional()
  @IsString()
  refresh_token?: string;
}

export function toSignupAnswerDto(sent: OtpSent): SignupAnswerDto {
  return {
    phone_number: sent.phoneNumber,
    code_length: sent.codeLength,
    expires_in: sent.expiresIn,
    resend_in: sent.resendIn,
    attempts: sent.attempts,
  };
}

export function toTokensDto(tokens: Tokens): TokensDto {
  return tokenFields(tokens);
}

function tokenFields(tokens: Tokens) {
  return {
    token_type: 'Bearer' as const,
    access_token: tokens.accessToken,
    expires_in: tokens.expiresIn,
    refresh_token: tokens.refreshToken,
    refresh_expires_in: tokens.refreshExpiresIn,
  };
}

export function toVerifyOtpAnswerDto(
  { tokens, deviceToken, isNewUser }: SignedIn,
  user: ProfileDto,
): VerifyOtpAnswerDto {
  return {
    ...tokenFields(tokens),
    device_token: deviceToken,
    is_new_user: isNewUser,
    needs_profile_completion: user.needs_profile_completion,
    user,
  };
}
