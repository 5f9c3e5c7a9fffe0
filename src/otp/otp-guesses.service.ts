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
import { type GuessToJudge, GuessLimits } from './limits/guess-limits.service.js';
import { LimitKeys } from './limits/limit-keys.js';
import { SendLimits } from './limits/send-limits.service.js';
import { OtpMetrics } from './otp-metrics.js';
import { OTP_CONFIG, type OtpConfig } from './otp.config.js';
import type { OtpPurpose } from './otp-purpose.js';
import {
  claimGuess,
  FORGET_AFTER_MS,
  markVerifiedOtp,
  type NewFailure,
  sessionOfVerify,
  useUpOtp,
} from './otp-guess-rows.js';
import type { OtpScope } from './otp-scope.js';
import { type OtpNumber, TestNumbers } from './test-numbers.js';

export interface OtpGuess {
  /** As the user wrote it. */
  phoneNumber: string;
  purpose: OtpPurpose;
  userId?: string | undefined;
  /** 4 to 8 digits. */
  code: string;
  codeVerifier?: string | undefined;
  /** The address that guesses. */
  clientIp: string;
}

/** A code that was guessed right, and is used up. */
export interface RedeemedOtp {
  phoneNumber: string;
  codeLength: number;
  /** Whether it was the fixed code of a test number. */
  isTest: boolean;
}

/** A guess whose number and client are known. */
interface KnownGuess extends OtpGuess, GuessToJudge, OtpNumber {
  /** E.164 */
  phoneNumber: string;
  /** Of the number. */
  country: string;
  now: Date;
}

interface RightGuess {
  id: string;
  failureId: string;
  codeLength: number;
  sentAt: Date;
}

type Outcome<T> = { value: T } | { refused: Problem };

// A guess that lost a race looks again; what it then sees is settled, unless it loses to yet another.
const LOOKS = 3;

/** Takes guesses at codes. */
@Injectable()
export class OtpGuesses {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OTP_CONFIG) private readonly config: OtpConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly limits: GuessLimits,
    private readonly sends: SendLimits,
    private readonly limitKeys: LimitKeys,
    private readonly metrics: OtpMetrics,
    private readonly keys: AppKeys,
    private readonly idempotencyKeys: IdempotencyKeys,
    private readonly testNumbers: TestNumbers,
  ) {}

  /**
   * Takes one guess at the pending code. When it is right the code is used up, and `work` runs, in one transaction:
   * a code succeeds at most once, and not without what it was for.
   *
   * @throws {Problem} `otp_not_found`, `otp_expired`, `otp_attempts_exceeded`, `otp_invalid`, `phone_number_invalid`,
   * `phone_number_unsupported`, `rate_limited`, `otp_limit_reached`.
   */
  async redeem<T>(
    guess: OtpGuess,
    work: (transaction: EntityManager, otp: RedeemedOtp) => Promise<T>,
  ): Promise<T> {
    const known = this.know(guess);
    await this.limits.requireAddress(this.db, known, known.now);
    const found = await this.takeGuess(this.db, known);
    const outcome =
      found instanceof Problem
        ? { refused: found }
        : await inTransaction(this.db, (transaction) => this.use(transaction, known, found, work));
    return this.settled(known, outcome);
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
    const known = this.know(guess);
    const scope = ['verify', known.phoneNumber, guess.code, guess.codeVerifier ?? ''];
    const keyHashes = this.idempotencyKeys.hashes(scope, idempotencyKey);
    await this.limits.requireAddress(this.db, known, known.now);
    const outcome = await inTransaction(this.db, async (transaction) => {
      const sessionId = await sessionOfVerify(transaction, known.phoneNumber, keyHashes);
      const repeated = sessionId === undefined ? undefined : await repeat(transaction, sessionId);
      if (repeated) return { value: repeated };
      const found = await this.takeGuess(transaction, known);
      // Told after the commit: a wrong guess counts.
      if (found instanceof Problem) return { refused: found };
      return this.use(transaction, known, found, async (_, otp) => {
        const value = await work(transaction, otp);
        if (value) {
          const keyHash = this.idempotencyKeys.hash(scope, idempotencyKey);
          await markVerifiedOtp(transaction, { id: found.id, sessionId: value.sessionId, keyHash });
        }
        return value;
      });
    });
    return this.settled(known, outcome);
  }

  private know(guess: OtpGuess): KnownGuess {
    const now = this.clock.now();
    const number = this.testNumbers.read(guess, now);
    const phoneKeys = this.limitKeys.ofPhone(number.phoneNumber);
    return { ...guess, ...number, phoneKeys, client: this.limitKeys.ofAddress(guess.clientIp), now };
  }

  /** Does what a right guess is for. */
  private async use<T>(
    transaction: EntityManager,
    guess: KnownGuess,
    found: RightGuess,
    work: (transaction: EntityManager, otp: RedeemedOtp) => Promise<T>,
  ): Promise<Outcome<T>> {
    if (!(await useUpOtp(transaction, found.id))) {
      await this.limits.uncount(transaction, found.failureId);
      return { refused: new Problem('otp_not_found') };
    }
    const { phoneNumber, isTest } = guess;
    const value = await work(transaction, { phoneNumber, codeLength: found.codeLength, isTest });
    await this.limits.countSuccess(transaction, guess, found, guess.now);
    this.metrics.verified((guess.now.getTime() - found.sentAt.getTime()) / 1000);
    return { value };
  }

  private async settled<T>(guess: KnownGuess, outcome: Outcome<T>): Promise<T> {
    if (!('refused' in outcome)) return outcome.value;
    const { code } = outcome.refused;
    if (code === 'otp_invalid') await this.limits.countFailure(this.db, guess, guess.now);
    if (code === 'otp_not_found') await this.limits.countMissing(this.db, guess, guess.now);
    throw outcome.refused;
  }

  /** Claims a guess, and compares. @returns the code that was guessed right, or why there is none. */
  private async takeGuess(manager: EntityManager, guess: KnownGuess): Promise<RightGuess | Problem> {
    const { phoneNumber, isTest, fixedCode, purpose, code, now } = guess;
    const failure = this.limits.failure(guess, now);
    const claimed = await this.claim(manager, guess, failure);
    if (claimed instanceof Problem) return claimed;
    const { id, attempts, hash, salt, keyId, codeLength, sentAt } = claimed;
    const key = this.keys.byId('otp', keyId);
    // A code made under a secret that is gone cannot be checked by anyone.
    if (!key) return new Problem('otp_not_found');
    const isOfRow = matchesHash(key, { salt, phoneNumber, purpose, code, isTest }, hash);
    const isRight = isOfRow && (!isTest || code === fixedCode);
    this.metrics.guessed(codeLength, isRight);
    if (isRight) return { id, failureId: failure.id, codeLength, sentAt };
    const left = Math.max(0, this.config.maxAttempts - attempts);
    return new Problem('otp_invalid', { attempts_remaining: left });
  }

  private async claim(manager: EntityManager, guess: KnownGuess, failure: NewFailure) {
    if (!this.limits.stops) return this.claimNow(manager, guess, failure);
    // Guesses at once, at whichever codes of the number, are judged one after the other.
    const work = async (transaction: EntityManager) => {
      await this.limits.requireGuesses(transaction, guess.phoneKeys, guess.now);
      return this.claimNow(transaction, guess, failure);
    };
    return manager.queryRunner?.isTransactionActive ? work(manager) : inTransaction(manager, work);
  }

  private async claimNow(manager: EntityManager, guess: KnownGuess, failure: NewFailure) {
    const { phoneNumber, purpose, codeVerifier, now } = guess;
    const scope: OtpScope = { phoneNumber, purpose, userId: guess.userId ?? null };
    const codeChallenge = codeVerifier === undefined ? null : codeChallengeOf(codeVerifier);
    const { maxAttempts } = this.config;
    const forgottenBefore = new Date(now.getTime() - FORGET_AFTER_MS);
    const claim = { codeChallenge, now, forgottenBefore, maxAttempts, failure };
    for (let look = 1; look <= LOOKS; look += 1) {
      const pending = await claimGuess(manager, scope, claim);
      if (!pending) return new Problem('otp_not_found');
      if (pending.claimed) return { id: pending.id, ...pending.claimed };
      if (pending.expiresAt <= now) return new Problem('otp_expired');
      if (pending.attempts >= maxAttempts) break;
    }
    const retryAfter = await this.sends.secondsToNextSend(manager, guess, now);
    return new Problem('otp_attempts_exceeded', { retry_after: retryAfter });
  }
}
