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
  mayHaveQueue,
  pendingRoom,
  sendRefusal,
} from './address-budget.js';
import type { CountsOfClient } from './address-count-rows.js';
import { joinQueue, leaveQueue, lookAtQueue, type Waiter } from './address-queue-rows.js';
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

/** What an address is allowed. */
export interface AddressLeave {
  /** On condition of these. */
  turns: Record<AddressScope, AddressTurn>;
  /** Where the number has waited. */
  waited: readonly Waiter[];
}

/** An address or network, what was counted for it, and who waits there before the number. */
interface Place {
  counts: CountsOfClient[AddressScope];
  waiter: Waiter;
  ahead: number;
  isWaiting: boolean;
}

/** A refusal that keeps the number a place in a queue: see `wait`. */
export class AddressIsBusy extends Problem<'rate_limited'> {
  constructor(
    readonly waiter: Waiter,
    readonly retryAfter: number,
  ) {
    super('rate_limited', { retry_after: retryAfter });
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
  async judge(manager: EntityManager, asking: Asking, facts: AddressFacts, now: Date): Promise<AddressLeave> {
    const places: Place[] = [];
    for (const scope of ADDRESS_SCOPES)
      places.push(await this.placeAt(manager, scope, asking, { facts, now }));
    this.requirePlaces(places, asking);
    const turnAt = (scope: AddressScope) => {
      const room = pendingRoom(scope, facts.client[scope], this.config.address);
      return turnOf(asking.client[scope], facts.turns[scope], room, now);
    };
    return {
      turns: { address: turnAt('address'), network: turnAt('network') },
      waited: places.filter(({ isWaiting }) => isWaiting).map(({ waiter }) => waiter),
    };
  }

  /** Keeps a place for whom an address was too busy for. */
  wait(manager: EntityManager, { waiter, retryAfter }: AddressIsBusy, now: Date): Promise<void> {
    return joinQueue(manager, waiter, { now, retryAfter });
  }

  /** Gives up the places of a number whose send is made. */
  async stopWaiting(manager: EntityManager, { waited }: AddressLeave): Promise<void> {
    for (const waiter of waited) await leaveQueue(manager, waiter);
  }

  private async placeAt(
    manager: EntityManager,
    scope: AddressScope,
    { client, phoneKey }: Asking,
    { facts, now }: { facts: AddressFacts; now: Date },
  ): Promise<Place> {
    const place = { counts: facts.client[scope], waiter: { scope, key: client[scope], phoneKey } };
    return mayHaveQueue(scope, place.counts, this.config.address)
      ? { ...place, ...(await lookAtQueue(manager, place.waiter, now)) }
      : { ...place, ahead: 0, isWaiting: false };
  }

  private requirePlaces(places: readonly Place[], { country }: Asking): void {
    let worst: { refusal: AddressRefusal; place: Place } | undefined;
    for (const place of places) {
      const { counts, waiter, ahead } = place;
      const refusal = sendRefusal(waiter.scope, counts, this.config.address, { country, ahead });
      if (refusal && refusal.retryAfter > (worst?.refusal.retryAfter ?? 0)) worst = { refusal, place };
    }
    if (!worst) return;
    const { refusal, place } = worst;
    this.log.warn({ country, ...refusal }, 'codes are refused to an address');
    if (refusal.rule === 'pending_sends' && place.ahead < LONGEST_QUEUE) {
      throw new AddressIsBusy(place.waiter, refusal.retryAfter);
    }
    throw new Problem('rate_limited', { retry_after: refusal.retryAfter });
  }
}
