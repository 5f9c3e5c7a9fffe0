import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Problem } from '../../platform/http/problem.js';
import { OTP_CONFIG, type OtpConfig } from '../otp.config.js';
import { FAILURES_WITHOUT_ESCALATION } from './abuse-policy.js';
import { pressuresOn } from './address-budget.js';
import { type AddressGrant, AddressLimits } from './address-limits.service.js';
import { decideLength, type LengthDecision } from './code-length.js';
import { GuessLimits } from './guess-limits.service.js';
import type { AddressKeys, PhoneKeys } from './limit-keys.js';
import { ABUSE_POLICY_CONFIG, type AbusePolicyConfig } from './abuse-policy.config.js';
import { judgeSend, type NumberVerdict } from './number-budget.js';
import { type PhoneFacts, readPhoneFacts } from './phone-limit-rows.js';
import { ServiceRule } from './service-rule.js';

/** Who asks for a code, and for which number. */
export interface SendToJudge {
  /** E.164 */
  phoneNumber: string;
  phoneKeys: PhoneKeys;
  country: string;
  /** The own device of the number that asks, if it has shown its token. */
  deviceKey: string | null;
  /** Whether only the client that asks can guess at the code. */
  isBound: boolean;
  client: AddressKeys;
  /** Digits that the client asks for; 0 where it does not. */
  askedLength: number;
}

/** What a send is allowed. */
export interface JudgedSend extends AddressGrant {
  /** On condition that the number has not been sent another since: its last ones, as they were read. */
  lastSendIds: readonly string[];
  length: LengthDecision;
  /** Seconds that the send after it has to wait. */
  resendIn: number;
}

/** The budgets of numbers and addresses, and the lengths of codes. */
@Injectable()
export class SendLimits {
  constructor(
    @Inject(OTP_CONFIG) private readonly otpConfig: OtpConfig,
    @Inject(ABUSE_POLICY_CONFIG) private readonly config: AbusePolicyConfig,
    private readonly addresses: AddressLimits,
    private readonly guesses: GuessLimits,
    private readonly service: ServiceRule,
  ) {}

  /**
   * Judges a send by what was counted. It may only be made on condition that its turn has not gone by.
   *
   * @throws {AddressIsBusy} to be handed to `wait`, once the transaction has ended.
   * @throws {Problem} `phone_number_unreachable`, `phone_number_unsupported`, `otp_limit_reached`, `otp_cooldown`,
   * `rate_limited`.
   */
  async judge(manager: EntityManager, send: SendToJudge, now: Date): Promise<JudgedSend> {
    const { maxAttempts: attempts } = this.otpConfig;
    const { phoneNumber, phoneKeys, deviceKey, client } = send;
    const service = await this.service.look(manager, now);
    const facts = await readPhoneFacts(manager, { phoneNumber, phoneKeys, deviceKey, client, attempts }, now);
    if (facts.refusedCode) throw new Problem(facts.refusedCode);
    await this.requireGuesses(manager, send, facts, now);
    const verdict = this.judgeNumber(facts, send, now);
    if (verdict.refusal) {
      throw new Problem(verdict.refusal.code, { retry_after: verdict.refusal.retryAfter });
    }
    const [phoneKey] = phoneKeys;
    const grant = await this.addresses.judge(manager, { ...send, phoneKey }, facts, now);
    return {
      ...grant,
      lastSendIds: facts.lastSendIds,
      length: this.lengthOf(facts, send, service),
      resendIn: verdict.resendIn,
    };
  }

  /** Whole seconds until the number may be sent another code, by a client that shows no token of a device. */
  async secondsToNextSend(
    manager: EntityManager,
    { phoneNumber, phoneKeys, client }: Pick<SendToJudge, 'phoneNumber' | 'phoneKeys' | 'client'>,
    now: Date,
  ): Promise<number> {
    const question = { phoneNumber, phoneKeys, client, deviceKey: null };
    const { maxAttempts: attempts } = this.otpConfig;
    const facts = await readPhoneFacts(manager, { ...question, attempts }, now);
    return this.judgeNumber(facts, question, now).refusal?.retryAfter ?? 0;
  }

  private judgeNumber(
    { sends, signedInAt }: PhoneFacts,
    { client, deviceKey }: Pick<SendToJudge, 'client' | 'deviceKey'>,
    now: Date,
  ): NumberVerdict {
    return judgeSend(sends, {
      now: now.getTime(),
      addressKey: client.address,
      deviceKey,
      signedInAt: signedInAt?.getTime() ?? 0,
      resendSeconds: this.otpConfig.resendSeconds,
      budget: this.config.phoneSends,
    });
  }

  // Without escalation a number takes no guess for a while: a code would be of no use.
  private async requireGuesses(
    manager: EntityManager,
    { phoneKeys }: SendToJudge,
    { guesses }: PhoneFacts,
    now: Date,
  ): Promise<void> {
    if (this.config.escalation || guesses.number.failed < FAILURES_WITHOUT_ESCALATION) return;
    await this.guesses.requireGuesses(manager, phoneKeys, now);
  }

  private lengthOf(
    { guesses, client }: PhoneFacts,
    { deviceKey, isBound, askedLength }: SendToJudge,
    service: { used: number; limit: number },
  ): LengthDecision {
    const { length: configured, maxAttempts: attempts } = this.otpConfig;
    if (!this.config.escalation) {
      return askedLength > configured
        ? { length: askedLength, why: 'asked' }
        : { length: configured, why: 'configured' };
    }
    const { address: floors } = this.config;
    return decideLength({
      configured,
      asked: askedLength,
      attempts,
      number: guesses.number,
      ownDevice:
        deviceKey !== null && isBound ? { device: guesses.device, all: guesses.allDevices } : undefined,
      address: pressuresOn('address', client.address, floors),
      network: pressuresOn('network', client.network, floors),
      service,
    });
  }
}
