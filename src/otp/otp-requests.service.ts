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
import { type BreakerLook, SmsBreakers } from './breakers/sms-breakers.service.js';
import { CODE_GENERATOR, type CodeGenerator } from './code-generator.js';
import { hashCode } from './code-hash.js';
import { DeviceTokens } from './device-tokens.js';
import { LimitKeys } from './limits/limit-keys.js';
import { eventsOfSend } from './limits/send-events.js';
import { type JudgedSend, SendLimits, type SendToJudge } from './limits/send-limits.service.js';
import { signInNumber } from './number-policy.js';
import { OTP_CONFIG, type OtpConfig } from './otp.config.js';
import type { OtpPurpose } from './otp-purpose.js';
import {
  activateOtp,
  findOtpOfRequest,
  type HashedRequest,
  type NewOtp,
  type NewSend,
  reserveOtp,
  withdrawOtp,
} from './otp-request-rows.js';
import { OtpTexts } from './otp-texts.js';

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
  /** The address that asks. */
  clientIp: string;
  /** Of an earlier sign-in on this device; one that is not good is ignored. */
  deviceToken?: string | undefined;
  /** The account that the number belongs to. */
  findOwner: (phoneNumber: string) => Promise<string | undefined>;
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

// Numbers are given out in blocks of ten thousand.
const PREFIX_LEAVES = 4;

const REQUEST_SCOPE = ['otp-request'];

// A repeat waits for the first to be answered: for as long as the provider may take, and a little more.
const LOOK_EVERY_MS = 100;
const LOOKS = 60;

/** A code that is written, and how it came about. */
interface Reserved {
  otp: NewOtp;
  code: string;
  send: NewSend;
}

/** A request whose number, client and account are known. */
interface KnownRequest extends OtpRequest {
  /** E.164 */
  phoneNumber: string;
  prefix: string;
  toJudge: SendToJudge;
  hasAccount: boolean;
  breakers: BreakerLook;
  now: Date;
}

type AdmittedSend = JudgedSend & Awaited<ReturnType<SmsBreakers['admit']>>;

/** Sends codes. */
@Injectable()
export class OtpRequests {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OTP_CONFIG) private readonly config: OtpConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CODE_GENERATOR) private readonly codes: CodeGenerator,
    private readonly texts: OtpTexts,
    private readonly limits: SendLimits,
    private readonly breakers: SmsBreakers,
    private readonly limitKeys: LimitKeys,
    private readonly deviceTokens: DeviceTokens,
    private readonly keys: AppKeys,
    private readonly idempotencyKeys: IdempotencyKeys,
  ) {}

  /**
   * Sends a code. The text goes out after the code is committed as unsent; only once the provider took it, it can be
   * guessed, in place of the earlier code of the same binding.
   *
   * @throws {Problem} `phone_number_invalid`, `phone_number_unsupported`, `phone_number_unreachable`,
   * `otp_limit_reached`, `otp_cooldown`, `rate_limited`, `sms_unavailable`.
   */
  async request(request: OtpRequest): Promise<OtpSent> {
    const number = signInNumber(request.phoneNumber, this.config.allowedCountries);
    const now = this.clock.now();
    const repeated = request.idempotency && (await this.findRepeated(request.idempotency, now));
    if (repeated) return repeated;
    const known = await this.know(request, number, now);

    const reserved = await this.reserveOnce(known);
    if ('repeated' in reserved) return reserved.repeated;
    const { otp, code, send } = reserved;
    const { purpose, app, budget } = request;
    const outcome = await this.texts.send({
      to: otp.phoneNumber,
      purpose,
      code,
      app,
      ttlSeconds: this.config.ttlSeconds,
    });
    if (outcome.fate === 'refused') {
      await withdrawOtp(this.db, otp, send.events);
      await budget?.giveBack(this.db);
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

  private async know(
    request: OtpRequest,
    { e164: phoneNumber, country }: { e164: string; country: string },
    now: Date,
  ): Promise<KnownRequest> {
    const owner = await request.findOwner(phoneNumber);
    const toJudge: SendToJudge = {
      phoneNumber,
      phoneKeys: this.limitKeys.allOfPhone(phoneNumber),
      country,
      deviceKey: this.deviceTokens.deviceOf(request.deviceToken, phoneNumber, owner) ?? null,
      isBound: request.codeChallenge !== undefined,
      client: this.limitKeys.ofAddress(request.clientIp),
      askedLength: request.minCodeLength ?? 0,
    };
    const prefix = phoneNumber.slice(0, -PREFIX_LEAVES);
    const hasAccount = owner !== undefined;
    const isKnown = hasAccount || toJudge.deviceKey !== null;
    const breakers = await this.breakers.look({ country, prefix, isKnown }, now);
    return { ...request, phoneNumber, prefix, toJudge, hasAccount, breakers, now };
  }

  /** @returns what to answer instead, where the same request was a moment faster. */
  private async reserveOnce(request: KnownRequest): Promise<Reserved | { repeated: OtpSent }> {
    try {
      return await this.reserve(request);
    } catch (error) {
      if (!(error instanceof Problem) || !request.idempotency) throw error;
      const repeated = await this.findRepeated(request.idempotency, request.now);
      if (!repeated) throw error;
      return { repeated };
    } finally {
      await this.breakers.countRefused(request.breakers, request.now);
    }
  }

  /** Judges the send and writes its code, anew for as long as another one for the number was faster. */
  private async reserve(request: KnownRequest): Promise<Reserved> {
    const { toJudge, budget, breakers, now } = request;
    const isOrdinary = !budget && breakers.open.length === 0;
    for (;;) {
      const judged = isOrdinary ? await this.limits.judge(this.db, toJudge, now) : undefined;
      const reserved =
        judged && !judged.isNearLimit
          ? await this.write(this.db, request, { ...judged, decision: {}, trickleOf: null })
          : await inTransaction(this.db, (transaction) => this.reserveLocked(transaction, request));
      if (reserved) return reserved;
    }
  }

  // Whatever refuses, nothing of either budget is used.
  private async reserveLocked(
    transaction: EntityManager,
    request: KnownRequest,
  ): Promise<Reserved | undefined> {
    const { toJudge, budget, breakers, now } = request;
    await budget?.take(transaction, request.phoneNumber);
    await this.limits.lock(transaction, toJudge);
    const judged = await this.limits.judge(transaction, toJudge, now);
    const admitted = await this.breakers.admit(transaction, breakers, now);
    return this.write(transaction, request, { ...judged, ...admitted });
  }

  /** @returns nothing where the number was sent another code since the send was judged. */
  private async write(
    manager: EntityManager,
    request: KnownRequest,
    judged: AdmittedSend,
  ): Promise<Reserved | undefined> {
    const code = this.codes.generate(judged.length.length);
    const otp = this.newOtp(request, code);
    const send = this.newSend(request, judged);
    return (await reserveOtp(manager, otp, send)) ? { otp, code, send } : undefined;
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
      const begunAfter = after(now, -(LOOKS * LOOK_EVERY_MS) / 1000);
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

  private newOtp(request: KnownRequest, code: string): NewOtp {
    const { phoneNumber, purpose, now } = request;
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
      request: this.hashRequest(request),
    };
  }

  private newSend(request: KnownRequest, admitted: AdmittedSend): NewSend {
    const { phoneNumber, prefix, toJudge, hasAccount, now } = request;
    const { country, client, deviceKey } = toJudge;
    const { length, decision: breaker } = admitted;
    const target = { country, prefix, isNew: !hasAccount };
    return {
      ...target,
      phoneKey: this.limitKeys.ofPhone(phoneNumber),
      version: admitted.version,
      keepUntil: this.limits.keepUntil(now),
      deviceKey,
      addressKey: client.address,
      networkKey: client.network,
      resendSeconds: admitted.resendIn,
      decision: { length, ...(breaker.scope && { breaker }) },
      trickleOf: admitted.trickleOf,
      events: eventsOfSend(target, client, now),
    };
  }
}

function after(start: Date, seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}
