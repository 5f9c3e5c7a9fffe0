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
export type AddressScope = 'address' | 'network';

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
  return WINDOWS.flatMap(({ window, per }): AddressPressure[] => {
    const { sends, unverified, failures } = counts[window];
    const floor = factorOf(scope) * floors.unverifiedSends[per];
    return [
      { of: 'unverified_sends', used: unverified, limit: Math.max(floor, UNVERIFIED_SHARE.longer * sends) },
      { of: 'failures', used: failures, limit: failureLimit(scope, counts, floors, per) },
    ];
  });
}

/** Whether the address may ask for another code, for a number of that country. */
export function sendRefusal(
  scope: AddressScope,
  counts: AddressCounts,
  floors: Floors,
  country: string,
): AddressRefusal | undefined {
  const factor = factorOf(scope);
  const refusals: AddressRefusal[] = [];
  const refuse = (rule: AddressRefusal['rule'], used: number, limit: number, retryAfter: number) => {
    if (used > limit) refusals.push({ scope, rule, used, limit, retryAfter });
  };
  const pendingLimit = Math.max(factor * floors.pendingSends, PENDING_PER_SIGN_IN * counts.day.signIns);
  refuse('pending_sends', counts.pending + 1, pendingLimit, RETRY_PENDING_SECONDS);
  for (const { window, per, retryAfter } of WINDOWS) {
    const { sends, unverified } = counts[window];
    const floor = UNVERIFIED_REFUSED_FACTOR * factor * floors.unverifiedSends[per];
    refuse('unverified_sends', unverified, Math.max(floor, UNVERIFIED_SHARE.refused * sends), retryAfter);
  }
  const countries = new Set([...counts.countries, country]).size;
  const isNewCountry = !counts.countries.includes(country);
  if (isNewCountry) refuse('countries', countries, factor * floors.countriesPerDay, RETRY_DAY_SECONDS);
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

/** Whether so many requests at once could get past a limit that each of them alone is within. */
export function isNearLimit(scope: AddressScope, counts: AddressCounts, floors: Floors): boolean {
  const pendingLimit = Math.max(
    factorOf(scope) * floors.pendingSends,
    PENDING_PER_SIGN_IN * counts.day.signIns,
  );
  return 2 * counts.pending >= pendingLimit;
}

function failureRefusals(scope: AddressScope, counts: AddressCounts, floors: Floors): AddressRefusal[] {
  return WINDOWS.flatMap(({ window, per, retryAfter }) => {
    const used = counts[window].failures;
    const limit = FAILURE_REFUSED_FACTOR * failureLimit(scope, counts, floors, per);
    return used > limit ? [{ scope, rule: 'failures' as const, used, limit, retryAfter }] : [];
  });
}

function failureLimit(
  scope: AddressScope,
  counts: AddressCounts,
  floors: Floors,
  per: 'perHour' | 'perDay',
): number {
  const { signIns } = counts[per === 'perHour' ? 'hour' : 'day'];
  return Math.max(factorOf(scope) * floors.failures[per], FAILURE_SHARE * signIns);
}

function factorOf(scope: AddressScope): number {
  return scope === 'network' ? NETWORK_FACTOR : 1;
}

function longest(refusals: readonly AddressRefusal[]): AddressRefusal | undefined {
  return refusals.reduce<AddressRefusal | undefined>(
    (found, refusal) => (found && found.retryAfter >= refusal.retryAfter ? found : refusal),
    undefined,
  );
}
