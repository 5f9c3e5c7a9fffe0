import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { Problem } from '../../platform/http/problem.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import type { NewFailure } from '../otp-guess-rows.js';
import { FAILURE_WINDOW_MS, FAILURES_WITHOUT_ESCALATION, HOUR_MS } from './abuse-policy.js';
import { ADDRESS_SCOPES, guessRefusal } from './address-budget.js';
import { readAddressCounts } from './address-count-rows.js';
import type { AddressKeys, PhoneKeys } from './limit-keys.js';
import { ABUSE_POLICY_CONFIG, type AbusePolicyConfig } from './abuse-policy.config.js';
import { lockFailures } from './phone-limit-rows.js';
import { eventsOfClient } from './send-events.js';
import { addCounts, type CountedEvent } from './send-counter-rows.js';
import { hasSignedInFrom, settlePhone, uncountFailure } from './settle-rows.js';

/** Who guesses, and at a code of which number. */
export interface GuessToJudge {
  phoneKeys: PhoneKeys;
  /** Of the number. */
  country: string;
  client: AddressKeys;
}

/** What guesses may be made, and what is counted of them. */
@Injectable()
export class GuessLimits {
  constructor(
    @Inject(ABUSE_POLICY_CONFIG) private readonly config: AbusePolicyConfig,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Whether numbers stop taking guesses, instead of their codes growing. */
  get stops(): boolean {
    return !this.config.escalation;
  }

  /** @throws {Problem} `rate_limited` where too many guesses of the address have failed. */
  async requireAddress(manager: EntityManager, { client, country }: GuessToJudge, now: Date): Promise<void> {
    const counts = await readAddressCounts(manager, client, now);
    for (const scope of ADDRESS_SCOPES) {
      const refusal = guessRefusal(scope, counts[scope], this.config.address);
      if (!refusal) continue;
      this.log.warn({ country, ...refusal }, 'guesses are refused to an address');
      throw new Problem('rate_limited', { retry_after: refusal.retryAfter });
    }
  }

  /**
   * With `OTP_ESCALATION=off`, makes other guesses at codes of the number wait for the end of the transaction.
   *
   * @throws {Problem} `otp_limit_reached` where the number takes no more.
   */
  async requireGuesses(manager: EntityManager, phoneKeys: readonly Buffer[], now: Date): Promise<void> {
    const limit = FAILURES_WITHOUT_ESCALATION;
    const newest = await lockFailures(manager, phoneKeys, { now, limit });
    const leaving = newest[limit - 1];
    if (!leaving) return;
    const retryAfter = Math.ceil((leaving.getTime() + FAILURE_WINDOW_MS - now.getTime()) / 1000);
    throw new Problem('otp_limit_reached', { retry_after: retryAfter });
  }

  /** What a guess is counted as until it is found to be right. */
  failure({ phoneKeys, country, client }: GuessToJudge, now: Date): NewFailure {
    return { id: uuidv7({ msecs: now.getTime() }), phoneKey: phoneKeys[0], client, country };
  }

  /** Counts a wrong guess, for its address and the service: for the number it is counted when it is claimed. */
  async countFailure(manager: EntityManager, guess: GuessToJudge, now: Date): Promise<void> {
    await addCounts(manager, [
      ...failureOf(guess, now),
      { scope: 'service', key: '', country: '', at: now, failures: 1 },
    ]);
  }

  /** Counts that an address has looked for a code that is not there, or it could wait for somebody's. */
  async countMissing(manager: EntityManager, guess: GuessToJudge, now: Date): Promise<void> {
    // A phone that sends its right guess twice finds the code used up.
    const since = new Date(now.getTime() - HOUR_MS);
    const { phoneKeys, client } = guess;
    if (await hasSignedInFrom(manager, { phoneKeys, addressKey: client.address, since })) return;
    await addCounts(manager, failureOf(guess, now));
  }

  /** Takes back what a right guess was counted as, where the code was used up by another. */
  uncount(manager: EntityManager, failureId: string): Promise<void> {
    return uncountFailure(manager, failureId);
  }

  /** Counts a right guess: the last statement of its transaction. */
  async countSuccess(
    transaction: EntityManager,
    { phoneKeys, country, client }: GuessToJudge,
    { id: otpId, failureId }: { id: string; failureId: string },
    now: Date,
  ): Promise<void> {
    const success = { otpId, failureId, phoneKeys, country, client };
    await settlePhone(transaction, success, now);
  }
}

function failureOf({ client, country }: GuessToJudge, at: Date): CountedEvent[] {
  return eventsOfClient(client, country, { at, failures: 1 });
}
