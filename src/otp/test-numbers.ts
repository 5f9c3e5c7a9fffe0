import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { type Clock, CLOCK } from '../platform/clock.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { maskPhoneNumber, parsePhoneNumber, writtenPhoneNumber } from '../platform/phone-number.js';
import { signInNumber } from './number-policy.js';
import { OTP_CONFIG, type OtpConfig } from './otp.config.js';
import type { OtpPurpose } from './otp-purpose.js';

const NO_COUNTRY = 'ZZ';

/** A number that a code is asked for, or guessed at. */
export interface OtpNumber {
  /** E.164. */
  phoneNumber: string;
  /** ISO 3166-1 alpha-2; `ZZ` for a test number of none. */
  country: string;
  /** Nothing is texted to it. */
  isTest: boolean;
  /** The only code that signs in, where it is a test number. Nobody moves to one, so it has none for that. */
  fixedCode: string | undefined;
}

/** The numbers of `OTP_TEST_NUMBERS`, which reviewers of an app sign in with. */
@Injectable()
export class TestNumbers implements OnModuleInit {
  constructor(
    @Inject(OTP_CONFIG) private readonly config: OtpConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onModuleInit(): void {
    for (const [number, { expiresAt }] of this.config.testNumbers) {
      const until = expiresAt.toISOString();
      this.log.warn({ number: maskPhoneNumber(number), until }, 'a test number signs in with a fixed code');
    }
  }

  /** Those that are in force (E.164). */
  list(): string[] {
    const now = this.clock.now();
    return [...this.config.testNumbers.keys()].filter((number) => this.codeFor(number, now) !== undefined);
  }

  /** The fixed code of a number (E.164) that is a test number at that time. */
  codeFor(phoneNumber: string, now: Date): string | undefined {
    const found = this.config.testNumbers.get(phoneNumber);
    return found && now < found.expiresAt ? found.code : undefined;
  }

  /**
   * Reads the number of a request, by what every number is held to. A test number need not be valid to sign in; for all
   * else it is treated, and refused, like others, so that nothing tells it from them.
   *
   * @throws {Problem} `phone_number_invalid`, `phone_number_unsupported`.
   */
  read({ phoneNumber: text, purpose }: { phoneNumber: string; purpose: OtpPurpose }, now: Date): OtpNumber {
    const { testNumbers, allowedCountries } = this.config;
    const written = testNumbers.size > 0 ? writtenPhoneNumber(text) : undefined;
    const code = written === undefined ? undefined : this.codeFor(written, now);
    if (written !== undefined && code !== undefined && purpose === 'sign_in') {
      const country = parsePhoneNumber(written)?.country ?? NO_COUNTRY;
      return { phoneNumber: written, country, isTest: true, fixedCode: code };
    }
    const { e164: phoneNumber, country } = signInNumber(text, allowedCountries);
    return { phoneNumber, country, isTest: code !== undefined, fixedCode: undefined };
  }
}
