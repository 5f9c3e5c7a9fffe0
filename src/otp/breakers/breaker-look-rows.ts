import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import type { BreakerReason, BreakerState } from './breaker-rows.js';
import { TRICKLE_LOOKED_AT } from './breaker-rules.js';
import type { Scope } from './breaker-scope.js';
import type { Counted } from './breaker-windows.js';
import type { BreakerMode } from './sms-breaker.entity.js';

// What breakers are judged by: their state, and what was counted for their scopes.

/** A breaker as it was read, with what decides whether it opens or closes. */
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
