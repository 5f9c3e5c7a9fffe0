import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import { DAY_MS, HOUR_MS, PENDING_MS } from './abuse-policy.js';
import type { AddressCounts, AddressScope, WindowCounts } from './address-budget.js';
import type { AddressKeys } from './limit-keys.js';

/** What was counted for one scope and the numbers of one country. */
export interface AddressCountRow {
  scope: AddressScope;
  country: string;
  pending: number;
  hour_sends: number;
  hour_unverified: number;
  hour_failures: number;
  hour_sign_ins: number;
  day_sends: number;
  day_unverified: number;
  day_failures: number;
  day_sign_ins: number;
}

/**
 * Reads what was counted for an address and its network, as JSON. The parameters after `first`: their keys, the
 * beginnings of the hour, of the day, and of what is pending.
 */
export function addressCountsFrom(first: number): string {
  const [address, network, hour, day, pending] = [0, 1, 2, 3, 4].map((offset) => `$${first + offset}`);
  return `SELECT coalesce(jsonb_agg(counted), '[]') FROM (
     SELECT c.scope, c.country,
       coalesce(sum(sends - verified) FILTER (WHERE c.span = 1 AND starts_at > ${pending}), 0) AS pending,
       coalesce(sum(sends) FILTER (WHERE c.span = 1), 0) AS hour_sends,
       coalesce(sum(sends - verified) FILTER (WHERE c.span = 1 AND starts_at <= ${pending}), 0) AS hour_unverified,
       coalesce(sum(failures) FILTER (WHERE c.span = 1), 0) AS hour_failures,
       coalesce(sum(sign_ins) FILTER (WHERE c.span = 1), 0) AS hour_sign_ins,
       coalesce(sum(sends) FILTER (WHERE c.span = 60), 0) AS day_sends,
       coalesce(sum(sends - verified) FILTER (WHERE c.span = 60), 0) AS day_unverified,
       coalesce(sum(failures) FILTER (WHERE c.span = 60), 0) AS day_failures,
       coalesce(sum(sign_ins) FILTER (WHERE c.span = 60), 0) AS day_sign_ins
     FROM (VALUES ('address', ${address}, 1, ${hour}::timestamptz), ('address', ${address}, 60, ${day}::timestamptz),
                  ('network', ${network}, 1, ${hour}::timestamptz), ('network', ${network}, 60, ${day}::timestamptz))
          AS w (scope, key, span, since)
     JOIN send_counters c ON c.scope = w.scope AND c.key = w.key AND c.span = w.span AND c.starts_at > w.since
     GROUP BY c.scope, c.country
   ) counted`;
}

/** The values of those parameters. */
export function addressCountValues({ address, network }: AddressKeys, now: Date): readonly unknown[] {
  const before = (ms: number) => new Date(now.getTime() - ms);
  return [address, network, before(HOUR_MS), before(DAY_MS), before(PENDING_MS)];
}

export interface CountsOfClient {
  address: AddressCounts;
  network: AddressCounts;
}

export function toCountsOfClient(rows: readonly AddressCountRow[]): CountsOfClient {
  return { address: toCounts('address', rows), network: toCounts('network', rows) };
}

const read = statement<{ counts: AddressCountRow[] }>(
  'address_counts_read',
  `SELECT (${addressCountsFrom(1)}) AS counts`,
);

export async function readAddressCounts(
  manager: EntityManager,
  keys: AddressKeys,
  now: Date,
): Promise<CountsOfClient> {
  const [row] = await read(manager, addressCountValues(keys, now));
  return toCountsOfClient(row?.counts ?? []);
}

function toCounts(scope: AddressScope, rows: readonly AddressCountRow[]): AddressCounts {
  const mine = rows.filter((row) => row.scope === scope);
  const sum = (valueOf: (row: AddressCountRow) => number) =>
    mine.reduce((total, row) => total + valueOf(row), 0);
  const hour: WindowCounts = {
    sends: sum((row) => row.hour_sends),
    unverified: sum((row) => row.hour_unverified),
    failures: sum((row) => row.hour_failures),
    signIns: sum((row) => row.hour_sign_ins),
  };
  // The counters of hours hold what is pending as well.
  const unverified = (row: AddressCountRow) => row.day_unverified - row.pending;
  const day: WindowCounts = {
    sends: sum((row) => row.day_sends),
    unverified: sum(unverified),
    failures: sum((row) => row.day_failures),
    signIns: sum((row) => row.day_sign_ins),
  };
  const countries = mine.filter((row) => unverified(row) > 0).map((row) => row.country);
  return { hour, day, pending: sum((row) => row.pending), countries };
}
