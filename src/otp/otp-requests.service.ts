import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { type Clock, CLOCK } from '../platform/clock.js';
import { AppKeys } from '../platform/config/app-keys.js';
import { inTransaction } from '../platform/database/statement.js';
import { IdempotencyKeys } from '../platform/http/idempotency-key.js';
import { Problem } from '../platform/http/problem.js';
import type { SmsOutcome } from '../sms/sms-sender.js';
import { CODE_GENERATOR, type CodeGenerator } from './code-generator.js';
import { hashCode } from './code-hash.js';
import { OTP_CONFIG, type OtpConfig } from './otp.config.js';
import type { OtpPurpose } from './otp-purpose.js';
import { OtpTexts } from './otp-texts.js';
import {
  activateOtp,
  findOtpOfRequest,
  type HashedRequest,
  type NewOtp,
  reserveOtp,
  withdrawOtp,
} from './phone-otps.js';
import { PhoneWaits } from './phone-waits.js';
import { type OtpNumber, TestNumbers } from './test-numbers.js';

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
  /** Beside that of the number, and asked first. */
  budget?: SendBudget | undefined;
}

/** What whoever asks for codes may send. */
export interface SendBudget {
  /** Takes a send from it, in the transaction that reserves the code. @throws {Problem} where there is none left. */
  take(transaction: EntityManager, phoneNumber: string): Promise<void>;
  /** The provider refused it. */
  giveBack(manager: EntityManager): Promise<void>;
}

/** What a client may know of a code that was sent. Seconds. */
export interface OtpSent {
  phoneNumber: string;
  codeLength: number;
  expiresIn: number;
  resendIn: number;
  attempts: number;
}

// To a test number.
const NOT_TEXTED: SmsOutcome = { fate: 'accepted' };

const REQUEST_SCOPE = ['otp-request'];

// A repeat waits for the first to be answered: for as long as the provider may take, and a little more.
const LOOK_EVERY_MS = 100;
const LOOKS = 60;

/** Sends codes. */
@Injectable()
export class OtpRequests {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OTP_CONFIG) private readonly config: OtpConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CODE_GENERATOR) private readonly codes: CodeGenerator,
    private readonly texts: OtpTexts,
    private readonly waits: PhoneWaits,
    private readonly keys: AppKeys,
    private readonly idempotencyKeys: IdempotencyKeys,
    private readonly testNumbers: TestNumbers,
  ) {}

  /**
   * Sends a code. The text goes out after the code is committed as unsent; only once the provider took it, it can be
   * guessed, in place of the earlier code of the same binding.
   *
   * @throws {Problem} `phone_number_invalid`, `phone_number_unsupported`, `phone_number_unreachable`, `otp_cooldown`,
   * `sms_unavailable`.
   */
  async request(request: OtpRequest): Promise<OtpSent> {
    const now = this.clock.now();
    const number = this.testNumbers.read(request, now);
    const { phoneNumber } = number;
    const repeated = request.idempotency && (await this.findRepeated(request.idempotency, now));
    if (repeated) return repeated;
    const codeLength = Math.max(this.config.length, request.minCodeLength ?? 0);
    const code = number.fixedCode ?? this.codes.generate(codeLength);
    const otp = this.newOtp(request, number, code, now);
    const wait = { phoneKey: this.waits.keyOf(phoneNumber), until: after(now, this.config.resendSeconds) };
    const { purpose, app, budget } = request;

    const first = await this.reserve(otp, wait, request);
    if (first) return first;
    const text = { to: phoneNumber, purpose, code, app, ttlSeconds: this.config.ttlSeconds };
    const outcome = number.isTest ? NOT_TEXTED : await this.texts.send(text);
    if (outcome.fate === 'refused') {
      await withdrawOtp(this.db, otp, wait);
      await budget?.giveBack(this.db);
      throw outcome.code === 'sms_unavailable'
        ? new Problem(outcome.code, { retry_after: outcome.retryAfter ?? 30 })
        : new Problem(outcome.code);
    }
    // A text of unknown fate may yet arrive, so its code must be good.
    const isAccepted = outcome.fate === 'accepted';
    // Only a success is kept under its key: what was refused, or may have been, is tried afresh.
    await activateOtp(this.db, otp, { sentAt: this.clock.now(), isRepeatable: isAccepted });
    if (!isAccepted) {
      throw new Problem('sms_unavailable', { retry_after: this.config.resendSeconds });
    }
    return this.sent(phoneNumber, code.length);
  }

  /**
   * Takes the number's wait, and a send from the budget beside it.
   *
   * @returns what to answer instead, where the same request was a moment faster.
   * @throws {Problem} `otp_cooldown`, and what the budget throws.
   */
  private async reserve(
    otp: NewOtp,
    wait: { phoneKey: Buffer; until: Date },
    { budget, idempotency }: OtpRequest,
  ): Promise<OtpSent | undefined> {
    if (budget) {
      // Whatever refuses, nothing of either is used.
      await inTransaction(this.db, async (transaction) => {
        await budget.take(transaction, otp.phoneNumber);
        if (!(await reserveOtp(transaction, otp, wait))) throw await this.cooldown(transaction, otp);
      });
      return undefined;
    }
    if (await reserveOtp(this.db, otp, wait)) return undefined;
    const first = idempotency && (await this.findRepeated(idempotency, otp.createdAt));
    if (!first) throw await this.cooldown(this.db, otp);
    return first;
  }

  private async cooldown(manager: EntityManager, { phoneNumber, createdAt }: NewOtp): Promise<Problem> {
    const retryAfter = await this.waits.secondsLeft(manager, phoneNumber, createdAt);
    return new Problem('otp_cooldown', { retry_after: retryAfter });
  }

  private sent(phoneNumber: string, codeLength: number): OtpSent {
    const { ttlSeconds: expiresIn, resendSeconds: resendIn, maxAttempts: attempts } = this.config;
    return { phoneNumber, codeLength, expiresIn, resendIn, attempts };
  }

  /**
   * What the first request with that key is answered, once it is.
   *
   * @returns nothing where there is none, or it was refused.
   * @throws {Problem} `idempotency_key_reused`
   */
  private async findRepeated(
    { key, body }: { key: string; body: string },
    now: Date,
  ): Promise<OtpSent | undefined> {
    const hashes = this.idempotencyKeys.hashes(REQUEST_SCOPE, key);
    for (let look = 1; look <= LOOKS; look += 1) {
      const begunAfter = after(now, -(LOOKS * LOOK_EVERY_MS) / 1000);
      const found = await findOtpOfRequest(this.db, hashes, { now, begunAfter });
      if (!found) return undefined;
      if (!this.idempotencyKeys.matches([...REQUEST_SCOPE, body], key, found.bodyHash)) {
        throw new Problem('idempotency_key_reused');
      }
      if (found.isSent) return this.sent(found.phoneNumber, found.codeLength);
      // Its text is on the way to the provider, and nothing in the database is held for it.
      await delay(LOOK_EVERY_MS);
    }
    return undefined;
  }

  private hashRequest({ idempotency }: OtpRequest): HashedRequest | undefined {
    if (!idempotency) return undefined;
    const { key, body } = idempotency;
    return {
      keyHash: this.idempotencyKeys.hash(REQUEST_SCOPE, key),
      bodyHash: this.idempotencyKeys.hash([...REQUEST_SCOPE, body], key),
    };
  }

  private newOtp(request: OtpRequest, number: OtpNumber, code: string, now: Date): NewOtp {
    const { purpose } = request;
    const { phoneNumber, isTest } = number;
    const { id: keyId, key } = this.keys.current('otp');
    const salt = randomBytes(16);
    return {
      id: uuidv7({ msecs: now.getTime() }),
      phoneNumber,
      purpose,
      userId: request.userId ?? null,
      codeChallenge: request.codeChallenge ?? null,
      hash: hashCode(key, { salt, phoneNumber, purpose, code, isTest }),
      salt,
      keyId,
      codeLength: code.length,
      createdAt: now,
      expiresAt: after(now, this.config.ttlSeconds),
      request: this.hashRequest(request),
    };
  }
}

function after(start: Date, seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}
