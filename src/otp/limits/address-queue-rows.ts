import type { EntityManager } from 'typeorm';

import { purgeStatement } from '../../platform/database/purge-statement.js';
import { statement } from '../../platform/database/statement.js';
import { LONGEST_QUEUE, PLACE_KEPT_MS, RETURN_GRACE_MS } from './abuse-policy.js';
import type { AddressScope } from './address-budget.js';

// Where more is asked for from an address than it may have under way, those who wait go before those who come: else a
// crowd's unluckiest wait for as long as it comes. Nobody holds up others who does not come back when told to.

/** One who waits, or may have to: whose number, and for which address or network. */
export interface Waiter {
  scope: AddressScope;
  /** HMAC of the address or network. */
  key: string;
  phoneKey: Buffer;
}

const look = statement<{ ahead: number; is_waiting: boolean }>(
  'address_queue_look',
  `SELECT mine.since IS NOT NULL AS is_waiting,
     (SELECT count(*)::integer FROM (
        SELECT FROM address_waits w
        WHERE w.scope = $1 AND w.key = $2 AND w.phone_key <> $3 AND w.since < coalesce(mine.since, 'infinity')
          AND w.has_returned AND w.expected_until > $4
        LIMIT $6
      ) AS earlier) AS ahead
   FROM (SELECT) AS one LEFT JOIN address_waits mine
     ON mine.scope = $1 AND mine.key = $2 AND mine.phone_key = $3 AND mine.expected_until > $5`,
);

/** How many of a queue go first, at most {@link LONGEST_QUEUE}; and whether the number is in it. */
export async function lookAtQueue(
  manager: EntityManager,
  { scope, key, phoneKey }: Waiter,
  now: Date,
): Promise<{ ahead: number; isWaiting: boolean }> {
  const [row] = await look(manager, [scope, key, phoneKey, now, placesKeptFrom(now), LONGEST_QUEUE]);
  return { ahead: row?.ahead ?? 0, isWaiting: row?.is_waiting ?? false };
}

const join = statement<never>(
  'address_queue_join',
  `INSERT INTO address_waits AS w (scope, key, phone_key, since, expected_until) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (scope, key, phone_key) DO UPDATE SET
     since = CASE WHEN w.expected_until > $6 THEN w.since ELSE excluded.since END,
     has_returned = w.expected_until > $6,
     expected_until = excluded.expected_until`,
);

/** Takes a place at the end of a queue, or says that the one it has is still wanted. */
export async function joinQueue(
  manager: EntityManager,
  { scope, key, phoneKey }: Waiter,
  { now, retryAfter }: { now: Date; retryAfter: number },
): Promise<void> {
  const expectedUntil = new Date(now.getTime() + retryAfter * 1000 + RETURN_GRACE_MS);
  await join(manager, [scope, key, phoneKey, now, expectedUntil, placesKeptFrom(now)]);
}

const leave = statement<never>(
  'address_queue_leave',
  'DELETE FROM address_waits WHERE scope = $1 AND key = $2 AND phone_key = $3',
);

export async function leaveQueue(manager: EntityManager, { scope, key, phoneKey }: Waiter): Promise<void> {
  await leave(manager, [scope, key, phoneKey]);
}

const purge = purgeStatement('address_waits_purge', {
  table: 'address_waits',
  key: 'ctid',
  which: 'expected_until < $2 ORDER BY expected_until',
});

/** Deletes those who have not come back. */
export function purgeWaits(manager: EntityManager, now: Date): Promise<number> {
  return purge(manager, [placesKeptFrom(now)]);
}

function placesKeptFrom(now: Date): Date {
  return new Date(now.getTime() - PLACE_KEPT_MS);
}
