import type { EntityManager } from 'typeorm';

import { keyedStatement } from '../../platform/database/keyed-statement.js';
import { statement } from '../../platform/database/statement.js';
import { DAY_MS } from './abuse-policy.js';
import type { AddressKeys } from './limit-keys.js';
import { countEvents } from './send-counter-rows.js';

/** A code that was guessed right, and where. */
export interface Success {
  otpId: string;
  /** What the guess was counted as until it was found to be right. */
  failureId: string;
  phoneKeys: readonly Buffer[];
  client: AddressKeys;
  country: string;
}

// What the number was sent in the last day counts as verified from now on; for an address and its network only what
// was asked for, and what failed, from the very address that has now signed in: signing in with a number of one's own
// wipes nothing else. The number's row is locked before the counters, as whoever sends a code locks them: PostgreSQL
// does first what is read, and what nobody reads at the very end.
const settle = keyedStatement<never>(
  'phone_settle',
  (isKey) => `WITH sends AS (
     SELECT id, sent_at, address_key, network_key, country, prefix, is_new,
            NOT is_settled AS settles, NOT is_forgiven AND address_key = $3 AS forgives
     FROM phone_sends WHERE ${isKey('phone_key')} AND sent_at > $7
     FOR UPDATE
   ), signed_in AS (
     UPDATE phone_limits SET signed_in_at = $6, refused_code = NULL, refused_until = NULL
     WHERE ${isKey('phone_key')}
     RETURNING 1
   ), settled AS (
     UPDATE phone_sends s SET
       is_settled = true, is_forgiven = s.is_forgiven OR s.address_key = $3,
       verified_at = CASE WHEN s.id = $2 THEN $6 ELSE s.verified_at END,
       verified_from = CASE WHEN s.id = $2 THEN $3 ELSE s.verified_from END
     FROM sends WHERE s.id = sends.id AND (settles OR forgives OR s.id = $2)
   ), right_guess AS (
     DELETE FROM phone_failures WHERE id = $8
   ), forgiven AS (
     UPDATE phone_failures SET is_forgiven = true
     WHERE ${isKey('phone_key')} AND address_key = $3 AND failed_at > $7 AND NOT is_forgiven AND id <> $8
     RETURNING failed_at, network_key, country
   ), first AS MATERIALIZED (
     SELECT NOT EXISTS (
       SELECT FROM phone_sends WHERE ${isKey('phone_key')} AND verified_from = $3 AND verified_at > $7
     ) AS is_first
   ), events AS (
     SELECT scope, key, e.country, sent_at AS at, 1 AS verified, is_new::integer AS new_verified, 0 AS failures,
            0 AS sign_ins
     FROM (SELECT count(*) FROM signed_in) AS first_the_number, sends CROSS JOIN LATERAL (VALUES
       ('prefix', prefix, '', settles), ('country', country, '', settles), ('service', '', '', settles),
       ('address', address_key, country, forgives), ('network', network_key, country, forgives)
     ) AS e (scope, key, country, counts)
     WHERE counts
     UNION ALL
     SELECT scope, key, country, failed_at, 0, 0, -1, 0
     FROM forgiven CROSS JOIN LATERAL (VALUES ('address', $3), ('network', network_key)) AS e (scope, key)
     UNION ALL
     SELECT scope, key, country, $6::timestamptz, 0, 0, 0, 1
     FROM first CROSS JOIN LATERAL (VALUES
       ('service', '', '', true), ('country', $5, '', true), ('address', $3, $5, is_first), ('network', $4, $5, is_first)
     ) AS e (scope, key, country, counts)
     WHERE counts
   )
   ${countEvents(['verified', 'new_verified', 'failures', 'sign_ins'])}`,
);

/** Counts that a number has signed in. The last statement of its transaction: what it locks is busy. */
export async function settlePhone(
  transaction: EntityManager,
  { otpId, failureId, phoneKeys, client, country }: Success,
  now: Date,
): Promise<void> {
  const since = new Date(now.getTime() - DAY_MS);
  await settle(transaction, [
    phoneKeys,
    otpId,
    client.address,
    client.network,
    country,
    now,
    since,
    failureId,
  ]);
}

// The guess that came first has forgiven this one, as if its address had been charged with it: or whoever sends the right
// code of a number of one's own several times at once would be owed failures.
const uncount = statement<never>(
  'phone_failure_uncount',
  `WITH gone AS (
     DELETE FROM phone_failures WHERE id = $1
     RETURNING failed_at, address_key, network_key, country, is_forgiven
   ), events AS (
     SELECT scope, key, country, failed_at AS at, 1 AS failures
     FROM gone CROSS JOIN LATERAL (VALUES ('address', address_key), ('network', network_key)) AS e (scope, key)
     WHERE is_forgiven
   )
   ${countEvents(['failures'])}`,
);

/** A guess was right, though another that was as right came first. */
export async function uncountFailure(manager: EntityManager, failureId: string): Promise<void> {
  await uncount(manager, [failureId]);
}

const hasSignedIn = keyedStatement<{ found: boolean }>(
  'phone_has_signed_in',
  (isKey) => `SELECT EXISTS (
     SELECT FROM phone_sends WHERE ${isKey('phone_key')} AND verified_from = $2 AND verified_at > $3
   ) AS found`,
);

/** Whether a number has signed in from an address since a time. */
export async function hasSignedInFrom(
  manager: EntityManager,
  { phoneKeys, addressKey, since }: { phoneKeys: readonly Buffer[]; addressKey: string; since: Date },
): Promise<boolean> {
  const [row] = await hasSignedIn(manager, [phoneKeys, addressKey, since]);
  return row?.found ?? false;
}
