import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import { AppKeys } from '../platform/config/app-keys.js';
import { inTransaction } from '../platform/database/statement.js';
import { IdempotencyKeys } from '../platform/http/idempotency-key.js';
import { Problem } from '../platform/http/problem.js';
import { codeChallengeOf } from './code-challenge.js';
import { matchesHash } from './code-hash.js';
import { OTP_CONFIG, type OtpConfig } from './otp.config.js';
import type { OtpPurpose } from './otp-purpose.js';
import {
  claimGuess,
  FORGET_AFTER_MS,
  markVerifiedOtp,
  type OtpScope,
  sessionOfVerify,
  useUpOtp,
} from './phone-otps.js';
import { PhoneWaits } from './phone-waits.js';
import { type OtpNumber, TestNumbers } from './test-numbers.js';

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
  /** Whether it was the fixed code of a test number. */
  isTest: boolean;
}

// A guess that lost a race looks again; what it then sees is settled, unless it loses to yet another.
const LOOKS = 3;

/** Takes guesses at codes. */
@Injectable()
export class OtpGuesses {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OTP_CONFIG) private readonly config: OtpConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly waits: PhoneWaits,
    private readonly keys: AppKeys,
    private readonly idempotencyKeys: IdempotencyKeys,
    private readonly testNumbers: TestNumbers,
  ) {}

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
    const number = this.testNumbers.read(guess, this.clock.now());
    const { phoneNumber, isTest } = number;
    const found = await this.takeGuess(this.db, number, guess);
    if (found instanceof Problem) throw found;
    return inTransaction(this.db, async (transaction) => {
      if (!(await useUpOtp(transaction, found.id))) throw new Problem('otp_not_found');
      return work(transaction, { ...found, phoneNumber, isTest });
    });
  }

  /**
   * As `redeem`, with an Idempotency-Key: the same guess under the same key uses no guess where `repeat` knows the
   * session that it has opened. Repeats at once wait for the first. Anything else is an ordinary guess, which counts.
   */
  async redeemOnce<T extends { sessionId: string } | undefined>(
    guess: OtpGuess,
    idempotencyKey: string,
    {
      repeat,
      work,
    }: {
      repeat: (transaction: EntityManager, sessionId: string) => Promise<T | undefined>;
      work: (transaction: EntityManager, otp: RedeemedOtp) => Promise<T>;
    },
  ): Promise<T> {
    const number = this.testNumbers.read(guess, this.clock.now());
    const { phoneNumber, isTest } = number;
    const scope = ['verify', phoneNumber, guess.code, guess.codeVerifier ?? ''];
    const keyHashes = this.idempotencyKeys.hashes(scope, idempotencyKey);
    const outcome = await inTransaction(this.db, async (transaction) => {
      const sessionId = await sessionOfVerify(transaction, phoneNumber, keyHashes);
      const repeated = sessionId === undefined ? undefined : await repeat(transaction, sessionId);
      if (repeated) return { value: repeated };
      const found = await this.takeGuess(transaction, number, guess);
      // Told after the commit: a wrong guess counts.
      if (found instanceof Problem) return { refused: found };
      if (!(await useUpOtp(transaction, found.id))) return { refused: new Problem('otp_not_found') };
      const value = await work(transaction, { ...found, phoneNumber, isTest });
      if (value) {
        const keyHash = this.idempotencyKeys.hash(scope, idempotencyKey);
        await markVerifiedOtp(transaction, { id: found.id, sessionId: value.sessionId, keyHash });
      }
      return { value };
    });
    if ('refused' in outcome) throw outcome.refused;
    return outcome.value;
  }

  /** Claims a guess, and compares. @returns the code that was guessed right, or why there is none. */
  private async takeGuess(
    manager: EntityManager,
    { phoneNumber, isTest, fixedCode }: OtpNumber,
    guess: OtpGuess,
  ): Promise<{ id: string; codeLength: number } | Problem> {
    const { purpose, code } = guess;
    const scope: OtpScope = { phoneNumber, purpose, userId: guess.userId ?? null };
    const claimed = await this.claim(manager, scope, guess.codeVerifier);
    if (claimed instanceof Problem) return claimed;
    const { id, attempts, hash, salt, keyId } = claimed;
    const key = this.keys.byId('otp', keyId);
    // A code made under a secret that is gone cannot be checked by anyone.
    if (!key) return new Problem('otp_not_found');
    const isRight = matchesHash(key, { salt, phoneNumber, purpose, code, isTest }, hash);
    if (isRight && (!isTest || code === fixedCode)) return { id, codeLength: code.length };
    const left = Math.max(0, this.config.maxAttempts - attempts);
    return new Problem('otp_invalid', { attempts_remaining: left });
  }

  private async claim(manager: EntityManager, scope: OtpScope, codeVerifier: string | undefined) {
    const codeChallenge = codeVerifier === undefined ? null : codeChallengeOf(codeVerifier);
    const now = this.clock.now();
    const { maxAttempts } = this.config;
    const forgottenBefore = new Date(now.getTime() - FORGET_AFTER_MS);
    for (let look = 1; look <= LOOKS; look += 1) {
      const pending = await claimGuess(manager, scope, { codeChallenge, now, forgottenBefore, maxAttempts });
      if (!pending) return new Problem('otp_not_found');
      if (pending.claimed) return { id: pending.id, ...pending.claimed };
      if (pending.expiresAt <= now) return new Problem('otp_expired');
      if (pending.attempts >= maxAttempts) break;
    }
    const retryAfter = await this.waits.secondsLeft(manager, scope.phoneNumber, now);
    return new Problem('otp_attempts_exceeded', { retry_after: retryAfter });
  }
}
