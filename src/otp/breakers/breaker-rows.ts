import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import {
  type BreakerRule,
  FORGIVEN_AFTER_MS,
  LONGEST_OPEN_MS,
  TRICKLE_EVERY_MS,
  TRICKLE_LOOKED_AT,
  type Trip,
} from './breaker-rules.js';
import { type Scope } from './breaker-scope.js';
import type { Counted } from './breaker-windows.js';
import type { BreakerMode } from './sms-breaker.entity.js';

// Every statement on `sms_breakers` that sends wait for. Of the races between replicas one statement each decides.

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

/** With what decides whether it opens or closes. */
export interface LookedAt extends BreakerState {
  scope: Scope;
  /** Of the newest five codes that it let through since it opened. */
  trickleVerified: number;
  byMinute: Counted;
  byHour: Counted;
}

interface LookRow {
  scope: string;
  mode: BreakerMode | null;
  opened_at: Date | null;
  open_until: Date | null;
  reason: BreakerReason | null;
  trickled_at: Date | null;
  counts_from: Date | null;
  alarmed_at: Date | null;
  trickle_verified: number | null;
  minutes: number[];
  minute_sends: number[];
  minute_verified: number[];
  hours: number[];
  hour_sends: number[];
  hour_verified: number[];
}

/** The rows of one span, column by column: three scopes have some three hundred, and this is one row of them. */
const counted = (span: 1 | 60, from: string, name: string) => `
  CROSS JOIN LATERAL (
    SELECT coalesce(array_agg((extract(epoch FROM starts_at) / 60)::integer), '{}') AS ${name}s,
           coalesce(array_agg(CASE s.kind WHEN 'service' THEN new_sends ELSE sends END), '{}') AS ${name}_sends,
           coalesce(array_agg(CASE s.kind WHEN 'service' THEN new_verified ELSE verified END), '{}') AS ${name}_verified
    FROM (
      SELECT starts_at, sum(sends)::integer AS sends, sum(verified)::integer AS verified,
             sum(new_sends)::integer AS new_sends, sum(new_verified)::integer AS new_verified
      FROM send_counters c
      WHERE c.scope = s.kind AND c.key = s.key AND c.span = ${span} AND c.starts_at >= ${from}
      GROUP BY starts_at
    ) AS slots
  ) AS of_${name}s`;

// A service, a country and a prefix are all that a send has: with so many rows PostgreSQL keeps its plan.
const LOOKED_AT_AT_ONCE = 3;

const look = statement<LookRow>(
  'breaker_look',
  `SELECT s.scope, b.mode, b.opened_at, b.open_until, b.reason, b.trickled_at, b.counts_from, b.alarmed_at,
          trickle.verified AS trickle_verified,
          minutes, minute_sends, minute_verified, hours, hour_sends, hour_verified
   FROM (VALUES ($3, $4, $5), ($6, $7, $8), ($9, $10, $11)) AS s (scope, kind, key)
   LEFT JOIN sms_breakers b ON b.scope = s.scope
   LEFT JOIN LATERAL (
     SELECT count(verified_at)::integer AS verified
     FROM (SELECT verified_at FROM phone_sends
           WHERE trickle_of = s.scope AND sent_at >= b.opened_at
           ORDER BY sent_at DESC LIMIT ${TRICKLE_LOOKED_AT}) AS newest
   ) AS trickle ON b.opened_at IS NOT NULL
   ${counted(1, '$1', 'minute')}
   ${counted(60, '$2', 'hour')}
   WHERE s.scope IS NOT NULL`,
);

/** Breakers with what is counted for up to three scopes since two moments: by the minute, and by the hour. */
export async function lookAtBreakers(
  manager: EntityManager,
  scopes: readonly Scope[],
  { minutesFrom, hoursFrom }: { minutesFrom: Date; hoursFrom: Date },
): Promise<LookedAt[]> {
  const columns = Array.from({ length: LOOKED_AT_AT_ONCE }, (_, index) => scopes[index]).flatMap((scope) => [
    scope?.name,
    scope?.kind,
    scope?.key,
  ]);
  const rows = await look(manager, [minutesFrom, hoursFrom, ...columns]);
  const byName = new Map(rows.map((row) => [row.scope, row]));
  return scopes.flatMap((scope) => {
    const row = byName.get(scope.name);
    return row ? [toLookedAt(scope, row)] : [];
  });
}

function toLookedAt(scope: Scope, row: LookRow): LookedAt {
  return {
    scope,
    mode: row.mode ?? 'auto',
    openedAt: row.opened_at,
    openUntil: row.open_until,
    reason: row.reason,
    trickledAt: row.trickled_at,
    countsFrom: row.counts_from,
    alarmedAt: row.alarmed_at,
    trickleVerified: row.trickle_verified ?? 0,
    byMinute: { minutes: row.minutes, sends: row.minute_sends, verified: row.minute_verified },
    byHour: { minutes: row.hours, sends: row.hour_sends, verified: row.hour_verified },
  };
}

const history = statement<{ hours: number[]; hour_sends: number[]; hour_verified: number[] }>(
  'breaker_history',
  `SELECT hours, hour_sends, hour_verified
   FROM (VALUES ($1::text, $2::text)) AS s (kind, key)
   ${counted(60, '$3', 'hour')}`,
);

/** The hours of a scope since a moment. */
export async function readHistory(
  manager: EntityManager,
  { kind, key }: Scope,
  from: Date,
): Promise<Counted> {
  const [row] = await history(manager, [kind, key, from]);
  const { hours: minutes = [], hour_sends: sends = [], hour_verified: verified = [] } = row ?? {};
  return { minutes, sends, verified };
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
  { scope, openedAt, countsFrom }: Pick<LookedAt, 'scope' | 'openedAt' | 'countsFrom'>,
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
