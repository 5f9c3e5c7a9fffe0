import type { EntityManager } from 'typeorm';

import { purgeStatement } from '../../platform/database/purge-statement.js';
import { statement } from '../../platform/database/statement.js';
import type { CounterScope } from './send-counter.entity.js';

const COUNTED = [
  'sends',
  'verified',
  'new_sends',
  'new_verified',
  'failures',
  'sign_ins',
  'refused',
  'delivered',
  'undelivered',
] as const;

/** Something that is counted for one scope, in the minute and the hour of its time. */
export interface CountedEvent extends Partial<Record<(typeof COUNTED)[number], number>> {
  scope: CounterScope;
  /** HMAC of an address or network; a prefix, a country; empty for the service. */
  key: string;
  /** For addresses and networks, that of the number; else empty. */
  country: string;
  at: Date;
}

/** Reads a parameter that holds `CountedEvent`s as JSON. */
export function eventsIn(parameter: string): string {
  const columns = COUNTED.map((column) => `coalesce(${column}, 0) AS ${column}`).join(', ');
  const types = COUNTED.map((column) => `${column} integer`).join(', ');
  return `SELECT scope, key, country, at, ${columns}
     FROM jsonb_to_recordset(${parameter}::jsonb) AS e (scope text, key text, country text, at timestamptz, ${types})`;
}

// Every send of a country, or of all, adds to the same counters, and holds them until its commit is on disk. So these
// are several rows each, and a connection always adds to the same one of them.
const SLOTS = 8;

/**
 * The end of a statement that counts what its CTE `events` holds, in those columns. The rows are taken in one order,
 * so that two such statements never wait for each other in turn; and they are busy ones, so it is the last of its
 * transaction.
 */
export function countEvents(columns: readonly (typeof COUNTED)[number][] = COUNTED): string {
  const sums = columns.map((column) => `sum(${column})::integer`).join(', ');
  const added = columns.map((column) => `${column} = c.${column} + excluded.${column}`).join(', ');
  return `INSERT INTO send_counters AS c (scope, key, span, starts_at, country, slot, ${columns.join(', ')})
   SELECT scope, key, span, date_bin(make_interval(mins => span), at, timestamptz '1970-01-01 00:00:00+00'), country,
          CASE WHEN scope IN ('country', 'service') THEN pg_backend_pid() % ${SLOTS} ELSE 0 END, ${sums}
   FROM events CROSS JOIN (VALUES (1), (60)) AS spans (span)
   GROUP BY 1, 2, 3, 4, 5, 6
   ORDER BY 1, 2, 3, 4, 5, 6
   ON CONFLICT ON CONSTRAINT send_counters_pkey DO UPDATE SET ${added}`;
}

const add = statement<never>('send_counters_add', `WITH events AS (${eventsIn('$1')}) ${countEvents()}`);

export async function addCounts(manager: EntityManager, events: readonly CountedEvent[]): Promise<void> {
  await add(manager, [JSON.stringify(events)]);
}

const purge = purgeStatement('send_counters_purge', {
  table: 'send_counters',
  key: 'ctid',
  which: "span = $2 AND starts_at < $3 AND ($4 OR scope IN ('address', 'network')) ORDER BY starts_at",
});

/** Deletes the counters that began before a time: of all scopes, or of addresses and networks. */
export function purgeCounters(
  manager: EntityManager,
  { span, before, ofAllScopes }: { span: 1 | 60; before: Date; ofAllScopes: boolean },
): Promise<number> {
  return purge(manager, [span, before, ofAllScopes]);
}
