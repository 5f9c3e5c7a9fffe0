import {
  FAILURE_REFUSED_FACTOR,
  FAILURE_SHARE,
  NETWORK_FACTOR,
  PENDING_PER_SIGN_IN,
  RETRY_DAY_SECONDS,
  RETRY_HOUR_SECONDS,
  RETRY_PENDING_SECONDS,
  UNVERIFIED_REFUSED_FACTOR,
  UNVERIFIED_SHARE,
} from './abuse-policy.js';
import type { AbusePolicyConfig } from './abuse-policy.config.js';

/** What was counted for an address or a network in a window. */
export interface WindowCounts {
  sends: number;
  /** Sends that are no longer pending, and whose number has not signed in from there since. */
  unverified: number;
  failures: number;
  /** Numbers that signed in. */
  signIns: number;
}

export interface AddressCounts {
  hour: WindowCounts;
  day: WindowCounts;
  pending: number;
  /** Of unverified sends in a day, ISO 3166-1 alpha-2. */
  countries: readonly string[];
}

/** Whose counts they are: a network may do so many times what an address may. */
export const ADDRESS_SCOPES = ['address', 'network'] as const;
export type AddressScope = (typeof ADDRESS_SCOPES)[number];

/** What makes the codes of an address longer, once it is past its limit. */
export interface AddressPressure {
  of: 'unverified_sends' | 'failures';
  used: number;
  limit: number;
}

/** Why an address is asked to wait. */
export interface AddressRefusal {
  scope: AddressScope;
  rule: 'pending_sends' | 'unverified_sends' | 'failures' | 'countries';
  used: number;
  limit: number;
  retryAfter: number;
}

type Floors = AbusePolicyConfig['address'];

const WINDOWS = [
  { window: 'hour', per: 'perHour', retryAfter: RETRY_HOUR_SECONDS },
  { window: 'day', per: 'perDay', retryAfter: RETRY_DAY_SECONDS },
] as const;

/** What its codes may grow by. */
export function pressuresOn(scope: AddressScope, counts: AddressCounts, floors: Floors): AddressPressure[] {
  const factor = factorOf(scope);
  return WINDOWS.flatMap(({ window, per }): AddressPressure[] => {
    const { sends, unverified, failures, signIns } = counts[window];
    const floor = factor * floors.unverifiedSends[per];
    return [
      { of: 'unverified_sends', used: unverified, limit: Math.max(floor, UNVERIFIED_SHARE.longer * sends) },
      { of: 'failures', used: failures, limit: failureLimit(factor * floors.failures[per], signIns) },
    ];
  });
}

/** How many more sends of an address may be pending; less than one where none may. */
export function pendingRoom(scope: AddressScope, counts: AddressCounts, floors: Floors): number {
  return pendingLimit(scope, counts, floors) - counts.pending;
}

/** Whether some may have to wait for its pending sends. Where so few are pending, all who ask are let in. */
export function mayHaveQueue(scope: AddressScope, counts: AddressCounts, floors: Floors): boolean {
  return 2 * counts.pending >= pendingLimit(scope, counts, floors);
}

/**
 * Whether the address may ask for another code.
 *
 * @param asked.country of the number.
 * @param asked.ahead how many wait there who go first.
 */
export function sendRefusal(
  scope: AddressScope,
  counts: AddressCounts,
  floors: Floors,
  { country, ahead }: { country: string; ahead: number },
): AddressRefusal | undefined {
  const factor = factorOf(scope);
  const refusals: AddressRefusal[] = [];
  const refuse = (rule: AddressRefusal['rule'], used: number, limit: number, retryAfter: number) => {
    if (used > limit) refusals.push({ scope, rule, used, limit, retryAfter });
  };
  refuse(
    'pending_sends',
    counts.pending + ahead + 1,
    pendingLimit(scope, counts, floors),
    retryPending(ahead),
  );
  for (const { window, per, retryAfter } of WINDOWS) {
    const { sends, unverified } = counts[window];
    const floor = UNVERIFIED_REFUSED_FACTOR * factor * floors.unverifiedSends[per];
    refuse('unverified_sends', unverified, Math.max(floor, UNVERIFIED_SHARE.refused * sends), retryAfter);
  }
  if (!counts.countries.includes(country)) {
    refuse('countries', counts.countries.length + 1, factor * floors.countriesPerDay, RETRY_DAY_SECONDS);
  }
  return longest([...refusals, ...failureRefusals(scope, counts, floors)]);
}

/** Whether it may guess. */
export function guessRefusal(
  scope: AddressScope,
  counts: AddressCounts,
  floors: Floors,
): AddressRefusal | undefined {
  return longest(failureRefusals(scope, counts, floors));
}

function failureRefusals(scope: AddressScope, counts: AddressCounts, floors: Floors): AddressRefusal[] {
  return WINDOWS.flatMap(({ window, per, retryAfter }) => {
    const { failures: used, signIns } = counts[window];
    const limit = FAILURE_REFUSED_FACTOR * failureLimit(factorOf(scope) * floors.failures[per], signIns);
    return used > limit ? [{ scope, rule: 'failures' as const, used, limit, retryAfter }] : [];
  });
}

function pendingLimit(scope: AddressScope, { day }: AddressCounts, floors: Floors): number {
  return Math.max(factorOf(scope) * floors.pendingSends, PENDING_PER_SIGN_IN * day.signIns);
}

function retryPending(ahead: number): number {
  const { next, farthest, oneMoreFor } = RETRY_PENDING_SECONDS;
  return Math.min(farthest, next + Math.floor(ahead / oneMoreFor));
}

function failureLimit(floor: number, signIns: number): number {
  return Math.max(floor, FAILURE_SHARE * signIns);
}

function factorOf(scope: AddressScope): number {
  return scope === 'network' ? NETWORK_FACTOR : 1;
}

/** The refusal with the longest wait. */
export function longest(refusals: readonly AddressRefusal[]): AddressRefusal | undefined {
  return refusals.reduce<AddressRefusal | undefined>(
    (found, refusal) => (found && found.retryAfter >= refusal.retryAfter ? found : refusal),
    undefined,
  );
}
