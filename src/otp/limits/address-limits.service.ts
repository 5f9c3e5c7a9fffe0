import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Problem } from '../../platform/http/problem.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { LONGEST_QUEUE } from './abuse-policy.js';
import { ABUSE_POLICY_CONFIG, type AbusePolicyConfig } from './abuse-policy.config.js';
import {
  ADDRESS_SCOPES,
  type AddressRefusal,
  type AddressScope,
  longest,
  mayHaveQueue,
  pendingRoom,
  sendRefusal,
} from './address-budget.js';
import type { CountsOfClient } from './address-count-rows.js';
import { countAhead, joinQueue, type Waiter } from './address-queue-rows.js';
import { type AddressTurn, turnOf } from './address-turn-rows.js';
import type { AddressKeys } from './limit-keys.js';

/** Who asks for a code, and for which number. */
interface Asking {
  phoneKey: Buffer;
  country: string;
  client: AddressKeys;
}

/** What was read of the client's address and its network. */
interface AddressFacts {
  client: CountsOfClient;
  /** Where they stand: see `AddressTurn`. */
  turns: Partial<Record<AddressScope, number>>;
}

/** What an address is allowed, on condition of its turns. */
export interface AddressGrant {
  turns: Record<AddressScope, AddressTurn>;
}

/** An address or network, what was counted for it, and who waits there before the number. */
interface Place {
  counts: CountsOfClient[AddressScope];
  waiter: Waiter;
  ahead: number;
}

/** A refusal that keeps the number its places in queues: see `wait`. */
export class AddressIsBusy extends Problem<'rate_limited'> {
  constructor(
    readonly waiters: readonly Waiter[],
    readonly retryAfter: number,
  ) {
    const detail = 'Many people sign in from this address right now.';
    super('rate_limited', { retry_after: retryAfter }, { detail });
  }
}

/** What an address, and its network, may ask for. */
@Injectable()
export class AddressLimits {
  constructor(
    @Inject(ABUSE_POLICY_CONFIG) private readonly config: AbusePolicyConfig,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /**
   * @throws {Problem} `rate_limited`.
   * @throws {AddressIsBusy} to be handed to `wait`, once the transaction has ended.
   */
  async judge(manager: EntityManager, asking: Asking, facts: AddressFacts, now: Date): Promise<AddressGrant> {
    const places: Place[] = [];
    for (const scope of ADDRESS_SCOPES)
      places.push(await this.placeAt(manager, scope, asking, { facts, now }));
    this.requirePlaces(places, asking);
    const turnAt = (scope: AddressScope) => {
      const room = pendingRoom(scope, facts.client[scope], this.config.address);
      return turnOf(asking.client[scope], facts.turns[scope], room, now);
    };
    return { turns: { address: turnAt('address'), network: turnAt('network') } };
  }

  /** Keeps a place for whom an address was too busy for. */
  async wait(manager: EntityManager, { waiters, retryAfter }: AddressIsBusy, now: Date): Promise<void> {
    for (const waiter of waiters) await joinQueue(manager, waiter, { now, retryAfter });
  }

  private async placeAt(
    manager: EntityManager,
    scope: AddressScope,
    { client, phoneKey }: Asking,
    { facts, now }: { facts: AddressFacts; now: Date },
  ): Promise<Place> {
    const place = { counts: facts.client[scope], waiter: { scope, key: client[scope], phoneKey } };
    return mayHaveQueue(scope, place.counts, this.config.address)
      ? { ...place, ahead: await countAhead(manager, place.waiter, now) }
      : { ...place, ahead: 0 };
  }

  private requirePlaces(places: readonly Place[], { country }: Asking): void {
    const refusals: AddressRefusal[] = [];
    const waiters: Waiter[] = [];
    for (const { counts, waiter, ahead } of places) {
      const refusal = sendRefusal(waiter.scope, counts, this.config.address, { country, ahead });
      if (!refusal) continue;
      refusals.push(refusal);
      if (refusal.rule === 'pending_sends' && ahead < LONGEST_QUEUE) waiters.push(waiter);
    }
    const refusal = longest(refusals);
    if (!refusal) return;
    if (refusal.rule === 'pending_sends') {
      this.log.info({ country, ...refusal }, 'a number waits, as its address has many codes under way');
      throw new AddressIsBusy(waiters, refusal.retryAfter);
    }
    this.log.warn({ country, ...refusal }, 'codes are refused to an address');
    throw new Problem('rate_limited', { retry_after: refusal.retryAfter });
  }
}
