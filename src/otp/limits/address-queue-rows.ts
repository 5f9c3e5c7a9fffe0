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

const look = statement<{ ahead: number }>(
  'address_queue_look',
  `SELECT count(*)::integer AS ahead FROM (
     SELECT FROM address_waits
     WHERE scope = $1 AND key = $2 AND has_returned AND expected_until > $4 AND phone_key <> $3
       AND since < coalesce((SELECT since FROM address_waits
                             WHERE scope = $1 AND key = $2 AND phone_key = $3 AND expected_until > $5), 'infinity')
     LIMIT $6
   ) AS earlier`,
);

/** How many of a queue go before a number, at most {@link LONGEST_QUEUE}. */
export async function countAhead(
  manager: EntityManager,
  { scope, key, phoneKey }: Waiter,
  now: Date,
): Promise<number> {
  const [row] = await look(manager, [scope, key, phoneKey, now, placesKeptFrom(now), LONGEST_QUEUE]);
  return row?.ahead ?? 0;
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

/** Gives up the places of a number, given as SQL, at an address and its network. */
export function leaveQueues(
  phoneKey: string,
  { address, network }: { address: string; network: string },
): string {
  return `DELETE FROM address_waits
     WHERE scope IN ('address', 'network') AND key IN (${address}, ${network}) AND phone_key = ${phoneKey}`;
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
