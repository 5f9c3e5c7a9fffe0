import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { randomBytes } from 'node:crypto';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { AppKeys } from '../platform/config/app-keys.js';
import { inTransaction } from '../platform/database/statement.js';
import { type BreakerLook, SmsBreakers } from './breakers/sms-breakers.service.js';
import { CODE_GENERATOR, type CodeGenerator } from './code-generator.js';
import { hashCode } from './code-hash.js';
import { DeviceTokens } from './device-tokens.js';
import { DAY_MS } from './limits/abuse-policy.js';
import { AddressIsBusy, AddressLimits } from './limits/address-limits.service.js';
import { LimitKeys } from './limits/limit-keys.js';
import { prefixOf } from './limits/number-prefix.js';
import { eventsOfSend } from './limits/send-events.js';
import { type JudgedSend, SendLimits, type SendToJudge } from './limits/send-limits.service.js';
import { OTP_CONFIG, type OtpConfig } from './otp.config.js';
import type { OtpRequest } from './otp-request.js';
import {
  type HashedRequest,
  type NewOtp,
  type NewSend,
  reserveOtp,
  withdrawOtp,
} from './otp-request-rows.js';
import type { OtpNumber } from './test-numbers.js';

/** A request whose number, client and account are known. */
interface KnownRequest {
  request: OtpRequest;
  /** The request that the code answers, where that may be repeated. */
  repeatable: HashedRequest | undefined;
  number: OtpNumber;
  prefix: string;
  toJudge: SendToJudge;
  hasAccount: boolean;
  breakers: BreakerLook;
  now: Date;
}

type AdmittedSend = JudgedSend & Awaited<ReturnType<SmsBreakers['admit']>>;

/** A code that is written as unsent. */
export interface Reservation {
  otp: NewOtp;
  code: string;
  send: NewSend;
}

/** Others were faster since the send was judged: whatever was taken for it is given back. */
class Outpaced extends Error {}

/** Writes codes, within what the budgets and breakers allow. */
@Injectable()
export class OtpReservations {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OTP_CONFIG) private readonly config: OtpConfig,
    @Inject(CODE_GENERATOR) private readonly codes: CodeGenerator,
    private readonly limits: SendLimits,
    private readonly addresses: AddressLimits,
    private readonly breakers: SmsBreakers,
    private readonly limitKeys: LimitKeys,
    private readonly deviceTokens: DeviceTokens,
    private readonly keys: AppKeys,
  ) {}

  /**
   * Writes a code as unsent, and counts its send.
   *
   * @throws {Problem} `phone_number_unsupported`, `phone_number_unreachable`, `otp_limit_reached`, `otp_cooldown`,
   * `rate_limited`, `sms_unavailable`. Then nothing of any budget is used.
   */
  async reserve(
    request: OtpRequest,
    number: OtpNumber,
    { now, repeatable }: { now: Date; repeatable: HashedRequest | undefined },
  ): Promise<Reservation> {
    const known = await this.know(request, number, { now, repeatable });
    try {
      return await this.reserveKnown(known);
    } catch (error) {
      if (error instanceof AddressIsBusy) await this.addresses.wait(this.db, error, now);
      throw error;
    } finally {
      await this.breakers.countRefused(known.breakers, now);
    }
  }

  /** Takes back a code that the provider refused, with all that it was counted as. */
  async withdraw({ otp, send }: Reservation, { budget }: OtpRequest): Promise<void> {
    await withdrawOtp(this.db, otp, send.events);
    await budget?.giveBack(this.db);
  }

  /** Lets the range of a number alone, as the provider says that somebody has it texted for money. */
  leaveAlone(phoneNumber: string, now: Date): Promise<void> {
    return this.breakers.openByProvider(prefixOf(phoneNumber), now);
  }

  private async know(
    request: OtpRequest,
    number: OtpNumber,
    { now, repeatable }: { now: Date; repeatable: HashedRequest | undefined },
  ): Promise<KnownRequest> {
    const { phoneNumber, country, isTest } = number;
    const owner = await request.findOwner(phoneNumber);
    const deviceKey = this.deviceTokens.deviceOf(request.deviceToken, phoneNumber, owner) ?? null;
    const toJudge: SendToJudge = {
      phoneNumber,
      phoneKeys: this.limitKeys.ofPhone(phoneNumber),
      country,
      deviceKey,
      isBound: request.codeChallenge !== undefined,
      client: this.limitKeys.ofAddress(request.clientIp),
      askedLength: request.minCodeLength ?? 0,
    };
    const prefix = prefixOf(phoneNumber);
    const hasAccount = owner !== undefined;
    const isKnown = hasAccount || isTest;
    const breakers = await this.breakers.look({ country, prefix, isKnown }, now);
    return { request, repeatable, number, prefix, toJudge, hasAccount, breakers, now };
  }

  /** Judges the send and writes its code, anew for as long as others were faster. */
  private async reserveKnown(known: KnownRequest): Promise<Reservation> {
    const { request, toJudge, breakers, now } = known;
    const isOrdinary = !request.budget && breakers.open.length === 0;
    for (;;) {
      try {
        const judged = isOrdinary ? await this.limits.judge(this.db, toJudge, now) : undefined;
        if (judged) return await this.write(this.db, known, { ...judged, decision: {}, trickleOf: null });
        const reserved = await inTransaction(this.db, (transaction) =>
          this.reserveLocked(transaction, known),
        );
        this.breakers.keepTurn(breakers, now);
        return reserved;
      } catch (error) {
        if (!(error instanceof Outpaced)) throw error;
      }
    }
  }

  // Whatever refuses, nothing of either budget is used.
  private async reserveLocked(transaction: EntityManager, known: KnownRequest): Promise<Reservation> {
    const { request, number, toJudge, breakers, now } = known;
    await request.budget?.take(transaction, number.phoneNumber);
    const judged = await this.limits.judge(transaction, toJudge, now);
    const admitted = await this.breakers.admit(transaction, breakers, now);
    return this.write(transaction, known, { ...judged, ...admitted });
  }

  /** @throws {Outpaced} */
  private async write(
    manager: EntityManager,
    known: KnownRequest,
    admitted: AdmittedSend,
  ): Promise<Reservation> {
    const code = known.number.fixedCode ?? this.codes.generate(admitted.length.length);
    const otp = this.newOtp(known, code);
    const send = this.newSend(known, admitted);
    if (!(await reserveOtp(manager, otp, send))) throw new Outpaced();
    return { otp, code, send };
  }

  private newOtp({ request, repeatable, number, now }: KnownRequest, code: string): NewOtp {
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
      expiresAt: new Date(now.getTime() + this.config.ttlSeconds * 1000),
      request: repeatable,
    };
  }

  private newSend(
    { number, prefix, toJudge, hasAccount, now }: KnownRequest,
    admitted: AdmittedSend,
  ): NewSend {
    const { country, isTest } = number;
    const { phoneKeys, client, deviceKey } = toJudge;
    const { length, decision: breaker } = admitted;
    const target = { country, prefix, isNew: !hasAccount };
    return {
      ...target,
      phoneKeys,
      lastSendIds: admitted.lastSendIds,
      turns: admitted.turns,
      keepUntil: new Date(now.getTime() + DAY_MS),
      deviceKey,
      resendSeconds: admitted.resendIn,
      decision: { length, ...(breaker.scope && { breaker }) },
      trickleOf: admitted.trickleOf,
      isSettled: isTest,
      events: eventsOfSend({ ...target, isTexted: !isTest }, client, now),
    };
  }
}
