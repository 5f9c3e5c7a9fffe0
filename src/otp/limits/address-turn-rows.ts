import type { EntityManager } from 'typeorm';

import { purgeStatement } from '../../platform/database/purge-statement.js';
import { HOUR_MS } from './abuse-policy.js';
import type { AddressScope } from './address-budget.js';

// Many send from one address at once, and none of them sees the others. So each is only written while so few were
// since the address was judged that all of them fit: no lock is held, and no limit is passed. How long a row is kept
// only changes with the hour, or each send would have to be entered into the index of it.

/** Where an address stood when it was judged, and where it may stand at most when the send is written. */
export interface AddressTurn {
  key: string;
  seen: number;
  last: number;
}

/** Reads where an address and its network stand, as JSON. The parameters after `first`: their keys. */
export function addressTurnsFrom(first: number): string {
  return `SELECT coalesce(jsonb_object_agg(scope, turn), '{}') FROM address_limits
     WHERE (scope, key) IN (VALUES ('address', $${first}), ('network', $${first + 1}))`;
}

/**
 * @param stood what was read; nothing where nobody has sent from there.
 * @param room how many may be sent at the most.
 */
export function turnOf(key: string, stood: number | undefined, room: number, now: Date): AddressTurn {
  // All who find no row begin at the same place, that of the hour; and a row that was purged and is made anew begins
  // later than it ended.
  const seen = stood ?? Math.floor(now.getTime() / HOUR_MS) * HOUR_MS;
  return { key, seen, last: seen + room - 1 };
}

/**
 * Moves an address on by one send, once `after` has a row, and gives one itself only if it has. The parameters after
 * `first`: `key`, `seen` and `last` of an `AddressTurn`.
 */
export function moveTurn(scope: AddressScope, after: string, first: number, keepUntil: string): string {
  const [key, seen, last] = [0, 1, 2].map((offset) => `$${first + offset}`);
  return `INSERT INTO address_limits AS l (scope, key, turn, keep_until)
     SELECT '${scope}', ${key}, ${seen}::bigint + 1, date_trunc('hour', ${keepUntil}::timestamptz) FROM ${after}
     ON CONFLICT (scope, key) DO UPDATE SET turn = l.turn + 1, keep_until = excluded.keep_until
       WHERE l.turn BETWEEN ${seen} AND ${last}
     RETURNING key`;
}

const purge = purgeStatement('address_limits_purge', {
  table: 'address_limits',
  key: 'ctid',
  which: 'keep_until < $2 ORDER BY keep_until',
});

/** Deletes the addresses that nothing is sent from any more. */
export function purgeAddressLimits(manager: EntityManager, now: Date): Promise<number> {
  return purge(manager, [now]);
}
