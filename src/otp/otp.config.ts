import { defineSlice } from '../platform/config/slice.js';
import { flag, list, wholeNumber } from '../platform/config/variable.js';
import { COUNTRIES } from '../platform/phone-number.js';
import { readTestNumbers, TEST_NUMBER_RULE, type TestNumber } from './test-number-entries.js';

/** Injection token of {@link OtpConfig}. */
export const OTP_CONFIG = Symbol('OTP_CONFIG');

export interface OtpConfig {
  /** Digits of a code, 4 to 8; a client may ask for more. */
  length: number;
  ttlSeconds: number;
  /** Guesses on a code. */
  maxAttempts: number;
  /** Wait between two codes for one number. */
  resendSeconds: number;
  /** Whether a signup must bind its code to the client with a `code_challenge`. */
  requireChallenge: boolean;
  /** Whose numbers may be sent codes, ISO 3166-1 alpha-2; absent: every country. */
  allowedCountries: ReadonlySet<string> | undefined;
  /** Numbers with a fixed code, by E.164; those that had expired at boot are not among them. */
  testNumbers: ReadonlyMap<string, TestNumber>;
}

export const otpConfig = defineSlice({
  token: OTP_CONFIG,
  title: 'One-time codes',
  variables: {
    OTP_LENGTH: wholeNumber(4, { min: 4, max: 8, about: 'Digits of a code' }),
    OTP_TTL_SECONDS: wholeNumber(600, { max: 600, about: 'Life of a code in seconds' }),
    OTP_MAX_ATTEMPTS: wholeNumber(3, { max: 10, about: 'Guesses on a code' }),
    OTP_RESEND_SECONDS: wholeNumber(30, { max: 3600, about: 'Seconds between two codes for one number' }),
    OTP_REQUIRE_CHALLENGE: flag(false, 'Refuse signups without a code_challenge'),
    SMS_ALLOWED_COUNTRIES: list({
      about: 'Countries whose numbers may sign in, e.g. BR,PT,US. Default *, all of them',
      pattern: /^(\*|[A-Z]{2})$/,
      rule: 'must be ISO 3166-1 codes separated by commas, or *',
    }),
    OTP_TEST_NUMBERS: list({
      about:
        'Numbers that sign in with a fixed code and are sent no text, for app-store review, e.g. ' +
        '+15555550100=83120467@2027-01-31. Each works to the end of its day (UTC), at most 366 days ahead',
      rule: TEST_NUMBER_RULE,
      secret: true,
    }),
  },
  build: (values, context): OtpConfig => {
    const countries = values.SMS_ALLOWED_COUNTRIES;
    const everywhere = countries.length === 0 || countries.includes('*');
    if (everywhere && context.production) {
      context.warn(
        'SMS_ALLOWED_COUNTRIES is *: name the countries of your users, or pay for texts to all others',
      );
    }
    if (!everywhere && !countries.every((country) => COUNTRIES.has(country))) {
      context.fault('SMS_ALLOWED_COUNTRIES', 'must be ISO 3166-1 codes separated by commas, or *');
    }
    const testNumbers = readTestNumbers(values.OTP_TEST_NUMBERS, {
      now: context.now,
      minLength: values.OTP_LENGTH,
    });
    if (testNumbers.faults.length > 0) {
      context.fault('OTP_TEST_NUMBERS', `${TEST_NUMBER_RULE}: ${testNumbers.faults.join('; ')}`);
    }
    for (const warning of testNumbers.warnings) context.warn(warning);
    return {
      length: values.OTP_LENGTH,
      ttlSeconds: values.OTP_TTL_SECONDS,
      maxAttempts: values.OTP_MAX_ATTEMPTS,
      resendSeconds: values.OTP_RESEND_SECONDS,
      requireChallenge: values.OTP_REQUIRE_CHALLENGE,
      allowedCountries: everywhere ? undefined : new Set(countries),
      testNumbers: testNumbers.numbers,
    };
  },
});
