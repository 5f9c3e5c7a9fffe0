import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { setTimeout as delay } from 'node:timers/promises';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import { IdempotencyKeys } from '../platform/http/idempotency-key.js';
import { Problem } from '../platform/http/problem.js';
import type { SmsOutcome } from '../sms/sms-sender.js';
import { OTP_CONFIG, type OtpConfig } from './otp.config.js';
import { OtpMetrics } from './otp-metrics.js';
import type { OtpRequest, OtpSent } from './otp-request.js';
import { activateOtp, findOtpOfRequest, type HashedRequest } from './otp-request-rows.js';
import { OtpReservations, type Reservation } from './otp-reservations.service.js';
import { OtpTexts } from './otp-texts.js';
import { type OtpNumber, TestNumbers } from './test-numbers.js';

const REQUEST_SCOPE = ['otp-request'];

// To a test number.
const NOT_TEXTED: SmsOutcome = { fate: 'accepted' };

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
    private readonly reservations: OtpReservations,
    private readonly texts: OtpTexts,
    private readonly idempotencyKeys: IdempotencyKeys,
    private readonly testNumbers: TestNumbers,
    private readonly metrics: OtpMetrics,
  ) {}

  /**
   * Sends a code. The text goes out after the code is committed as unsent; only once the provider took it, it can be
   * guessed, in place of the earlier code of the same binding.
   *
   * @throws {Problem} `phone_number_invalid`, `phone_number_unsupported`, `phone_number_unreachable`,
   * `otp_limit_reached`, `otp_cooldown`, `rate_limited`, `sms_unavailable`.
   */
  async request(request: OtpRequest): Promise<OtpSent> {
    const now = this.clock.now();
    const number = this.testNumbers.read(request, now);
    const repeated = request.idempotency && (await this.findRepeated(request.idempotency, now));
    if (repeated) return repeated;
    const reserved = await this.reserve(request, number, now);
    return 'repeated' in reserved ? reserved.repeated : this.send(request, number, reserved);
  }

  /** @returns what to answer instead, where the same request was a moment faster. */
  private async reserve(
    request: OtpRequest,
    number: OtpNumber,
    now: Date,
  ): Promise<Reservation | { repeated: OtpSent }> {
    try {
      return await this.reservations.reserve(request, number, { now, repeatable: this.hashRequest(request) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const repeated = request.idempotency && (await this.findRepeated(request.idempotency, now));
      if (repeated) return { repeated };
      this.metrics.refused((error as Problem).code);
      throw error;
    }
  }

  private async send(request: OtpRequest, number: OtpNumber, reserved: Reservation): Promise<OtpSent> {
    const { otp, code, send } = reserved;
    const { purpose, app } = request;
    const text = { to: otp.phoneNumber, purpose, code, app, ttlSeconds: this.config.ttlSeconds };
    const outcome = number.isTest ? NOT_TEXTED : await this.texts.send(text);
    if (!number.isTest) this.metrics.sent(nameOf(outcome), number.country);
    if (outcome.fate === 'refused') {
      await this.reservations.withdraw(reserved, request);
      throw outcome.code === 'sms_unavailable'
        ? new Problem(outcome.code, { retry_after: outcome.retryAfter ?? 30 })
        : new Problem(outcome.code);
    }
    // A text of unknown fate may yet arrive, so its code must be good.
    const isAccepted = outcome.fate === 'accepted';
    // Only a success is kept under its key: what was refused, or may have been, is tried afresh.
    await activateOtp(this.db, otp, { sentAt: this.clock.now(), isRepeatable: isAccepted });
    if (!isAccepted) throw new Problem('sms_unavailable', { retry_after: send.resendSeconds });
    return this.sent(otp, send.resendSeconds);
  }

  private sent(
    { phoneNumber, codeLength }: { phoneNumber: string; codeLength: number },
    resendIn: number,
  ): OtpSent {
    const { ttlSeconds: expiresIn, maxAttempts: attempts } = this.config;
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
      const begunAfter = new Date(now.getTime() - LOOKS * LOOK_EVERY_MS);
      const found = await findOtpOfRequest(this.db, hashes, { now, begunAfter });
      if (!found) return undefined;
      if (!this.idempotencyKeys.matches([...REQUEST_SCOPE, body], key, found.bodyHash)) {
        throw new Problem('idempotency_key_reused');
      }
      if (found.isSent) return this.sent(found, found.resendSeconds ?? this.config.resendSeconds);
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
}

function nameOf(outcome: SmsOutcome): string {
  return outcome.fate === 'refused' ? outcome.code : outcome.fate;
}
