import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { createHmac, randomBytes } from 'node:crypto';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { type Clock, CLOCK } from '../platform/clock.js';
import { AppKeys } from '../platform/config/app-keys.js';
import { inTransaction } from '../platform/database/statement.js';
import { Problem } from '../platform/http/problem.js';
import { codeChallengeOf } from './code-challenge.js';
import { CODE_GENERATOR, type CodeGenerator } from './code-generator.js';
import { hashCode, matchesHash } from './code-hash.js';
import { signInNumber } from './number-policy.js';
import { OTP_CONFIG, type OtpConfig } from './otp.config.js';
import type { OtpPurpose } from './otp-purpose.js';
import { OtpTexts } from './otp-texts.js';
import {
  activateOtp,
  claimGuess,
  type NewOtp,
  nextSendAt,
  type OtpScope,
  reserveOtp,
  useUpOtp,
  withdrawOtp,
} from './phone-otps.js';

export interface OtpRequest {
  /** As the user wrote it. */
  phoneNumber: string;
  purpose: OtpPurpose;
  /** The asking user, for a phone change. */
  userId?: string | undefined;
  /** Binds the code to whoever holds the verifier (RFC 7636, S256). */
  codeChallenge?: string | undefined;
  /** 4 to 8. */
  minCodeLength?: number | undefined;
  /** Name of the Android app whose hash goes into the text. */
  app?: string | undefined;
}

/** What a client may know of a code that was sent. Seconds. */
export interface OtpSent {
  phoneNumber: string;
  codeLength: number;
  expiresIn: number;
  resendIn: number;
  attempts: number;
}

export interface OtpGuess {
  /** As the user wrote it. */
  phoneNumber: string;
  purpose: OtpPurpose;
  userId?: string | undefined;
  /** 4 to 8 digits. */
  code: string;
  codeVerifier?: string | undefined;
}

/** A code that was guessed right, and is used up. */
export interface RedeemedOtp {
  phoneNumber: string;
  codeLength: number;
}

// An expired code answers "expired" for a day, then as if it had never been.
const FORGET_AFTER_MS = 24 * 60 * 60 * 1000;

// A guess that lost a race looks again; what it then sees is settled, unless it loses to yet another.
const LOOKS = 3;

@Injectable()
export class OtpService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OTP_CONFIG) private readonly config: OtpConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CODE_GENERATOR) private readonly codes: CodeGenerator,
    private readonly texts: OtpTexts,
    private readonly keys: AppKeys,
  ) {}

  /**
   * Sends a code. The text goes out after the code is committed as unsent; only once the provider took it, it can be
   * guessed, in place of the earlier code of the same binding.
   *
   * @throws {Problem} `phone_number_invalid`, `phone_number_unsupported`, `phone_number_unreachable`, `otp_cooldown`,
   * `sms_unavailable`.
   */
  async request(request: OtpRequest): Promise<OtpSent> {
    const phoneNumber = signInNumber(request.phoneNumber, this.config.allowedCountries);
    const now = this.clock.now();
    const codeLength = Math.max(this.config.length, request.minCodeLength ?? 0);
    const code = this.codes.generate(codeLength);
    const otp = this.newOtp(request, phoneNumber, code, now);
    const wait = { phoneKey: this.phoneKey(phoneNumber), until: after(now, this.config.resendSeconds) };

    if (!(await reserveOtp(this.db, otp, wait))) {
      throw new Problem('otp_cooldown', { retry_after: await this.secondsToWait(wait.phoneKey, now) });
    }
    const { purpose, app } = request;
    const outcome = await this.texts.send({
      to: phoneNumber,
      purpose,
      code,
      app,
      ttlSeconds: this.config.ttlSeconds,
    });
    if (outcome.fate === 'refused') {
      await withdrawOtp(this.db, otp, wait);
      throw outcome.code === 'sms_unavailable'
        ? new Problem(outcome.code, { retry_after: outcome.retryAfter ?? 30 })
        : new Problem(outcome.code);
    }
    // A text of unknown fate may yet arrive, so its code must be good.
    await activateOtp(this.db, otp, this.clock.now());
    if (outcome.fate === 'unknown') {
      throw new Problem('sms_unavailable', { retry_after: this.config.resendSeconds });
    }
    return {
      phoneNumber,
      codeLength,
      expiresIn: this.config.ttlSeconds,
      resendIn: this.config.resendSeconds,
      attempts: this.config.maxAttempts,
    };
  }

  /**
   * Takes one guess at the pending code. When it is right the code is used up, and `work` runs, in one transaction:
   * a code succeeds at most once, and not without what it was for.
   *
   * @throws {Problem} `otp_not_found`, `otp_expired`, `otp_attempts_exceeded`, `otp_invalid`, `phone_number_invalid`,
   * `phone_number_unsupported`.
   */
  async redeem<T>(
    guess: OtpGuess,
    work: (transaction: EntityManager, otp: RedeemedOtp) => Promise<T>,
  ): Promise<T> {
    const phoneNumber = signInNumber(guess.phoneNumber, this.config.allowedCountries);
    const scope: OtpScope = { phoneNumber, purpose: guess.purpose, userId: guess.userId ?? null };
    const { id, attempts, hash, salt, keyId } = await this.claim(scope, guess.codeVerifier);

    const key = this.keys.byId('otp', keyId);
    // A code made under a secret that is gone cannot be checked by anyone.
    if (!key) throw new Problem('otp_not_found');
    if (!matchesHash(key, { salt, phoneNumber, purpose: guess.purpose, code: guess.code }, hash)) {
      throw new Problem('otp_invalid', {
        attempts_remaining: Math.max(0, this.config.maxAttempts - attempts),
      });
    }
    return inTransaction(this.db, async (transaction) => {
      if (!(await useUpOtp(transaction, id))) throw new Problem('otp_not_found');
      return work(transaction, { phoneNumber, codeLength: guess.code.length });
    });
  }

  private async claim(scope: OtpScope, codeVerifier: string | undefined) {
    const codeChallenge = codeVerifier === undefined ? null : codeChallengeOf(codeVerifier);
    const now = this.clock.now();
    const { maxAttempts } = this.config;
    const forgottenBefore = new Date(now.getTime() - FORGET_AFTER_MS);
    for (let look = 1; look <= LOOKS; look += 1) {
      const pending = await claimGuess(this.db, scope, { codeChallenge, now, forgottenBefore, maxAttempts });
      if (!pending) throw new Problem('otp_not_found');
      if (pending.claimed) return { id: pending.id, ...pending.claimed };
      if (pending.expiresAt <= now) throw new Problem('otp_expired');
      if (pending.attempts >= maxAttempts) break;
    }
    throw new Problem('otp_attempts_exceeded', {
      retry_after: await this.secondsToWait(this.phoneKey(scope.phoneNumber), now),
    });
  }

  private newOtp(request: OtpRequest, phoneNumber: string, code: string, now: Date): NewOtp {
    const { purpose } = request;
    const { id: keyId, key } = this.keys.current('otp');
    const salt = randomBytes(16);
    return {
      id: uuidv7({ msecs: now.getTime() }),
      phoneNumber,
      purpose,
      userId: request.userId ?? null,
      codeChallenge: request.codeChallenge ?? null,
      hash: hashCode(key, { salt, phoneNumber, purpose, code }),
      salt,
      keyId,
      codeLength: code.length,
      createdAt: now,
      expiresAt: after(now, this.config.ttlSeconds),
    };
  }

  private phoneKey(phoneNumber: string): Buffer {
    return createHmac('sha256', this.keys.current('phone-limits').key).update(phoneNumber).digest();
  }

  private async secondsToWait(phoneKey: Buffer, now: Date): Promise<number> {
    const until = await nextSendAt(this.db, phoneKey);
    return until ? Math.max(0, Math.ceil((until.getTime() - now.getTime()) / 1000)) : 0;
  }
}

function after(start: Date, seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}
