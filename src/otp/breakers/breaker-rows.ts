import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import {
  type BreakerRule,
  FORGIVEN_AFTER_MS,
  LONGEST_OPEN_MS,
  TRICKLE_EVERY_MS,
  type Trip,
} from './breaker-rules.js';
import type { Scope } from './breaker-scope.js';
import type { BreakerMode } from './sms-breaker.entity.js';

// Every statement that changes `sms_breakers` while sends wait for it. Of the races between replicas one statement
// each decides.

/** What opened a breaker: unverified sends, how many there may be, and the part of all that was verified. */
export interface BreakerReason {
  rule: BreakerRule;
  used: number | null;
  limit: number | null;
  verified_ratio: number | null;
}

/** What opened a breaker whatever was counted. */
export function uncounted(rule: BreakerRule): BreakerReason {
  return { rule, used: null, limit: null, verified_ratio: null };
}

/** A breaker as it was read. One that has no row is closed. */
export interface BreakerState {
  mode: BreakerMode;
  openedAt: Date | null;
  openUntil: Date | null;
  reason: BreakerReason | null;
  trickledAt: Date | null;
  countsFrom: Date | null;
  alarmedAt: Date | null;
}

// Of replicas that see the same at once, one opens it: the others find it open, and change nothing. Nor does one that
// counted before another closed it.
const open = statement<{ open_until: Date }>(
  'breaker_open',
  `INSERT INTO sms_breakers AS b (scope, opened_at, open_until, trips, reason, changed_at)
   VALUES ($1, $2, $2::timestamptz + $3 * interval '1 millisecond', 1, $4, $2)
   ON CONFLICT (scope) DO UPDATE SET
     opened_at = $2, reason = $4, changed_at = $2,
     (trips, open_until) = (
       SELECT least(before.trips + 1, 20),
              $2::timestamptz + least($3 * power(2, before.trips), ${LONGEST_OPEN_MS}) * interval '1 millisecond'
       FROM (SELECT CASE WHEN b.opened_at IS NULL AND b.changed_at < $5 THEN 0 ELSE b.trips END AS trips) AS before
     )
   WHERE b.mode = 'auto' AND b.opened_at IS NOT DISTINCT FROM $6 AND b.counts_from IS NOT DISTINCT FROM $7
   RETURNING open_until`,
);

/** Opens a breaker, or opens it anew. @returns until when; nothing where it is no longer as it was seen. */
export async function openBreaker(
  transaction: EntityManager,
  { scope, openedAt, countsFrom }: { scope: Scope } & Pick<BreakerState, 'openedAt' | 'countsFrom'>,
  { openMs, ...usage }: Trip,
  now: Date,
): Promise<{ openUntil: Date; reason: BreakerReason } | undefined> {
  const { rule, used, limit, verifiedRatio: verified_ratio } = usage;
  const reason = { rule, used, limit, verified_ratio };
  const forgivenBefore = new Date(now.getTime() - FORGIVEN_AFTER_MS);
  const values = [scope.name, now, openMs, JSON.stringify(reason), forgivenBefore, openedAt, countsFrom];
  const [row] = await open(transaction, values);
  return row && { openUntil: row.open_until, reason };
}

const openForProvider = statement<{ open_until: Date }>(
  'breaker_open_for_provider',
  `INSERT INTO sms_breakers AS b (scope, opened_at, open_until, trips, reason, changed_at)
   VALUES ($1, $2, $3, 1, $4, $2)
   ON CONFLICT (scope) DO UPDATE SET
     opened_at = coalesce(b.opened_at, $2), open_until = $3, reason = $4, changed_at = $2,
     trips = CASE WHEN b.opened_at IS NULL THEN least(b.trips + 1, 20) ELSE b.trips END
   WHERE b.mode = 'auto' AND (b.open_until IS NULL OR b.open_until < $5)
   RETURNING open_until`,
);

/**
 * Opens a breaker for as long as providers block, or keeps it open for so long.
 *
 * @returns nothing where an administrator holds it, or it is open for about as long anyway.
 */
export async function openBreakerForProvider(
  transaction: EntityManager,
  scope: Scope,
  now: Date,
): Promise<{ openUntil: Date; reason: BreakerReason } | undefined> {
  const reason = uncounted('provider');
  const until = new Date(now.getTime() + LONGEST_OPEN_MS);
  // The provider says it again for every send that it refuses.
  const nearlyUntil = new Date(until.getTime() - TRICKLE_EVERY_MS);
  const [row] = await openForProvider(transaction, [
    scope.name,
    now,
    until,
    JSON.stringify(reason),
    nearlyUntil,
  ]);
  return row && { openUntil: row.open_until, reason };
}

const close = statement<{ scope: string }>(
  'breaker_close',
  `UPDATE sms_breakers SET opened_at = NULL, open_until = NULL, counts_from = $3, changed_at = $3
   WHERE scope = $1 AND mode = 'auto' AND opened_at = $2
   RETURNING scope`,
);

/** Closes the breaker that was opened at a time. @returns false where it is no longer as it was seen. */
export async function closeBreaker(
  transaction: EntityManager,
  scope: string,
  openedAt: Date,
  now: Date,
): Promise<boolean> {
  return (await close(transaction, [scope, openedAt, now])).length > 0;
}

const alarm = statement<{ scope: string }>(
  'breaker_alarm',
  `INSERT INTO sms_breakers AS b (scope, alarmed_at, changed_at) VALUES ($1, $2, $2)
   ON CONFLICT (scope) DO UPDATE SET alarmed_at = $2 WHERE b.alarmed_at IS NULL OR b.alarmed_at < $3
   RETURNING scope`,
);

/** Takes the turn to say that limits are nearly reached. @returns false where another replica has said so. */
export async function claimAlarm(
  manager: EntityManager,
  scope: string,
  now: Date,
  notSince: Date,
): Promise<boolean> {
  return (await alarm(manager, [scope, now, notSince])).length > 0;
}

// As `isOpenAt` of breaker-open.ts.
const isOpenAt = (time: string) => `opened_at IS NOT NULL AND (open_until IS NULL OR open_until > ${time})`;

interface OpenRow {
  scope: string;
  open_until: Date | null;
  trickled_at: Date | null;
}

// Always in the order of names, so that two sends never wait for each other; whoever waits sees what was claimed.
const lockOpen = statement<OpenRow>(
  'breaker_lock_open',
  `SELECT scope, open_until, trickled_at FROM sms_breakers
   WHERE scope = ANY ($1::text[]) AND ${isOpenAt('$2')}
   ORDER BY scope FOR UPDATE`,
);

/** Locks those of the breakers that are still open, until the transaction ends. */
export async function lockOpenBreakers(
  transaction: EntityManager,
  scopes: readonly string[],
  now: Date,
): Promise<{ scope: string; openUntil: Date | null; trickledAt: Date | null }[]> {
  const rows = await lockOpen(transaction, [scopes, now]);
  return rows.map(({ scope, open_until: openUntil, trickled_at: trickledAt }) => ({
    scope,
    openUntil,
    trickledAt,
  }));
}

const trickle = statement<never>(
  'breaker_trickle',
  'UPDATE sms_breakers SET trickled_at = $2 WHERE scope = ANY ($1::text[])',
);

/** Notes that a send goes through breakers, which are locked. */
export async function trickleThrough(
  transaction: EntityManager,
  scopes: readonly string[],
  now: Date,
): Promise<void> {
  await trickle(transaction, [scopes, now]);
}

// An attack may open thousands of prefixes: they share one series.
const countOpen = statement<{ series: string; count: number }>(
  'breaker_count_open',
  `SELECT CASE WHEN scope LIKE 'prefix:%' THEN 'prefix' ELSE scope END AS series, count(*)::integer AS count
   FROM sms_breakers WHERE ${isOpenAt('$1')}
   GROUP BY 1`,
);

/** How many breakers are open: of the service, of each country, and of prefixes together. */
export function countOpenBreakers(
  manager: EntityManager,
  now: Date,
): Promise<{ series: string; count: number }[]> {
  return countOpen(manager, [now]);
}
