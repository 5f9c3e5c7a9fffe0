import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { createHmac, randomBytes } from 'node:crypto';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { type Clock, CLOCK } from '../platform/clock.js';
import { AppKeys } from '../platform/config/app-keys.js';
import { inTransaction } from '../platform/database/statement.js';
import { IdempotencyKeys } from '../platform/http/idempotency-key.js';
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
  findOtpOfRequest,
  type HashedRequest,
  markVerifiedOtp,
  type NewOtp,
  nextSendAt,
  type OtpScope,
  reserveOtp,
  sessionOfVerify,
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
  /** A repeat with the same key and body is answered the same, and sends nothing. */
  idempotency?: { key: string; body: string } | undefined;
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

const REQUEST_SCOPE = ['otp-request'];

@Injectable()
export class OtpService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OTP_CONFIG) private readonly config: OtpConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CODE_GENERATOR) private readonly codes: CodeGenerator,
    private readonly texts: OtpTexts,
    private readonly keys: AppKeys,
    private readonly idempotencyKeys: IdempotencyKeys,
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
    const repeated = request.idempotency && (await this.findRepeated(request.idempotency, now));
    if (repeated) return repeated;
    const codeLength = Math.max(this.config.length, request.minCodeLength ?? 0);
    const code = this.codes.generate(codeLength);
    const otp = this.newOtp(request, phoneNumber, code, now);
    const wait = { phoneKey: this.phoneKey(phoneNumber), until: after(now, this.config.resendSeconds) };

    if (!(await reserveOtp(this.db, otp, wait))) {
      throw new Problem('otp_cooldown', {
        retry_after: await this.secondsToWait(this.db, wait.phoneKey, now),
      });
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
    const isAccepted = outcome.fate === 'accepted';
    // Only a success is kept under its key: what was refused, or may have been, is tried afresh.
    await activateOtp(this.db, otp, this.clock.now(), isAccepted ? this.hashRequest(request) : undefined);
    if (!isAccepted) {
      throw new Problem('sms_unavailable', { retry_after: this.config.resendSeconds });
    }
    return this.sent(phoneNumber, codeLength);
  }

  private sent(phoneNumber: string, codeLength: number): OtpSent {
    const { ttlSeconds: expiresIn, resendSeconds: resendIn, maxAttempts: attempts } = this.config;
    return { phoneNumber, codeLength, expiresIn, resendIn, attempts };
  }

  /** @throws {Problem} `idempotency_key_reused` */
  private async findRepeated(
    { key, body }: { key: string; body: string },
    now: Date,
  ): Promise<OtpSent | undefined> {
    const found = await findOtpOfRequest(this.db, this.idempotencyKeys.hashes(REQUEST_SCOPE, key), now);
    if (!found) return undefined;
    if (!this.idempotencyKeys.matches([...REQUEST_SCOPE, body], key, found.bodyHash)) {
      throw new Problem('idempotency_key_reused');
    }
    return this.sent(found.phoneNumber, found.codeLength);
  }

  private hashRequest({ idempotency }: OtpRequest): HashedRequest | undefined {
    if (!idempotency) return undefined;
    const { key, body } = idempotency;
    return {
      keyHash: this.idempotencyKeys.hash(REQUEST_SCOPE, key),
      bodyHash: this.idempotencyKeys.hash([...REQUEST_SCOPE, body], key),
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
    const found = await this.takeGuess(this.db, phoneNumber, guess);
    if (found instanceof Problem) throw found;
    return inTransaction(this.db, async (transaction) => {
      if (!(await useUpOtp(transaction, found.id))) throw new Problem('otp_not_found');
      return work(transaction, { ...found, phoneNumber });
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
    const phoneNumber = signInNumber(guess.phoneNumber, this.config.allowedCountries);
    const scope = ['verify', phoneNumber, guess.code, guess.codeVerifier ?? ''];
    const keyHashes = this.idempotencyKeys.hashes(scope, idempotencyKey);
    const outcome = await inTransaction(this.db, async (transaction) => {
      const sessionId = await sessionOfVerify(transaction, phoneNumber, keyHashes);
      const repeated = sessionId === undefined ? undefined : await repeat(transaction, sessionId);
      if (repeated) return { value: repeated };
      const found = await this.takeGuess(transaction, phoneNumber, guess);
      // Told after the commit: a wrong guess counts.
      if (found instanceof Problem) return { refused: found };
      if (!(await useUpOtp(transaction, found.id))) return { refused: new Problem('otp_not_found') };
      const value = await work(transaction, { ...found, phoneNumber });
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
    phoneNumber: string,
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
    if (matchesHash(key, { salt, phoneNumber, purpose, code }, hash)) return { id, codeLength: code.length };
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
    const retryAfter = await this.secondsToWait(manager, this.phoneKey(scope.phoneNumber), now);
    return new Problem('otp_attempts_exceeded', { retry_after: retryAfter });
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

  private async secondsToWait(manager: EntityManager, phoneKey: Buffer, now: Date): Promise<number> {
    const until = await nextSendAt(manager, phoneKey);
    return until ? Math.max(0, Math.ceil((until.getTime() - now.getTime()) / 1000)) : 0;
  }
}

function after(start: Date, seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}
