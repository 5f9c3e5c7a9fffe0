import type { EntityManager } from 'typeorm';

import { keyedStatement } from '../../platform/database/keyed-statement.js';
import { lockKeys } from '../../platform/database/lock-keys.js';
import { purgeStatement } from '../../platform/database/purge-statement.js';
import { statement } from '../../platform/database/statement.js';
import {
  type AddressCountRow,
  addressCountsFrom,
  addressCountValues,
  type CountsOfClient,
  toCountsOfClient,
} from './address-count-rows.js';
import { addressTurnsFrom } from './address-turn-rows.js';
import { DAY_MS, FAILURE_WINDOW_MS, GUESS_UNDER_WAY_MS } from './abuse-policy.js';
import type { AddressScope } from './address-budget.js';
import type { Guesses } from './code-length.js';
import type { AddressKeys } from './limit-keys.js';
import type { EarlierSend } from './number-budget.js';
import type { PhoneLimit } from './phone-limit.entity.js';

/** What decides about another code for a number, as of one moment. */
export interface PhoneFacts {
  /** The newest send, of each key of the number: a code is only written while there is no other. See `reserveOtp`. */
  lastSendIds: string[];
  signedInAt: Date | null;
  /** What its carrier said of it, while that is believed. */
  refusedCode: PhoneLimit['refusedCode'];
  /** Of the last 24 hours, the oldest first. */
  sends: EarlierSend[];
  guesses: { number: Guesses; device: Guesses; allDevices: Guesses };
  client: CountsOfClient;
  /** Where the address and its network stand: see `AddressTurn`. */
  turns: Partial<Record<AddressScope, number>>;
}

interface FactsRow {
  last_send_ids: string[];
  signed_in_at: Date | null;
  refused_code: PhoneLimit['refusedCode'];
  sends: [at: number, deviceKey: string | null, addressKey: string, isVerified: boolean][];
  failed: number;
  failed_by_device: number;
  failed_by_devices: number;
  open: number;
  open_for_device: number;
  open_for_devices: number;
  client: AddressCountRow[];
  turns: PhoneFacts['turns'];
}

// A guess that fails moves from the open ones to the failed ones in one statement, so that no moment shows fewer.
const readFacts = keyedStatement<FactsRow>(
  'phone_facts_read',
  (isKey) => `WITH failures AS (
     SELECT count(*)::integer AS failed,
            (count(*) FILTER (WHERE device_key = $4))::integer AS failed_by_device,
            count(device_key)::integer AS failed_by_devices
     FROM phone_failures WHERE ${isKey('phone_key')} AND failed_at > $7
   ), pending AS (
     SELECT coalesce(sum(left_over), 0)::integer AS open,
            coalesce(sum(left_over) FILTER (WHERE device_key = $4), 0)::integer AS open_for_device,
            coalesce(sum(left_over) FILTER (WHERE device_key IS NOT NULL), 0)::integer AS open_for_devices
     FROM (
       SELECT greatest($8::integer - o.attempts, 0) AS left_over, s.device_key
       FROM phone_otps o LEFT JOIN phone_sends s ON s.id = o.id
       WHERE o.phone_number = $3 AND NOT o.is_verified AND o.expires_at > $2
     ) codes
   ), known AS (
     SELECT coalesce(array_agg(last_send_id) FILTER (WHERE last_send_id IS NOT NULL), '{}') AS last_send_ids,
            max(signed_in_at) AS signed_in_at,
            max(refused_code) FILTER (WHERE refused_until > $5) AS refused_code
     FROM phone_limits WHERE ${isKey('phone_key')}
   )
   SELECT known.last_send_ids, known.signed_in_at, known.refused_code, failures.*, pending.*,
     (SELECT coalesce(jsonb_agg(
               jsonb_build_array(extract(epoch FROM sent_at) * 1000, device_key, address_key, verified_at IS NOT NULL)
               ORDER BY sent_at), '[]')
      FROM phone_sends WHERE ${isKey('phone_key')} AND sent_at > $6) AS sends,
     (${addressCountsFrom(9)}) AS client, (${addressTurnsFrom(9)}) AS turns
   FROM known, failures, pending`,
);

/** Reads what decides about another code. */
export async function readPhoneFacts(
  manager: EntityManager,
  { phoneNumber, phoneKeys, deviceKey, client, attempts }: PhoneQuestion,
  now: Date,
): Promise<PhoneFacts> {
  const [row] = await readFacts(manager, [
    phoneKeys,
    new Date(now.getTime() - GUESS_UNDER_WAY_MS),
    phoneNumber,
    deviceKey,
    now,
    new Date(now.getTime() - DAY_MS),
    new Date(now.getTime() - FAILURE_WINDOW_MS),
    attempts,
    ...addressCountValues(client, now),
  ]);
  if (!row) throw new Error('aggregates are one row');
  return {
    lastSendIds: row.last_send_ids,
    signedInAt: row.signed_in_at,
    refusedCode: row.refused_code,
    sends: row.sends.map(([at, device, addressKey, isVerified]) => ({
      at,
      deviceKey: device,
      addressKey,
      isVerified,
    })),
    guesses: {
      number: { failed: row.failed, open: row.open },
      device: { failed: row.failed_by_device, open: row.open_for_device },
      allDevices: { failed: row.failed_by_devices, open: row.open_for_devices },
    },
    client: toCountsOfClient(row.client),
    turns: row.turns,
  };
}

export interface PhoneQuestion {
  /** E.164 */
  phoneNumber: string;
  /** Those of `LimitKeys.ofPhone`. */
  phoneKeys: readonly Buffer[];
  deviceKey: string | null;
  client: AddressKeys;
  /** Guesses that a code takes. */
  attempts: number;
}

const readFailures = keyedStatement<{ failed_at: Date }>(
  'phone_failures_newest',
  (isKey) => `SELECT failed_at FROM phone_failures WHERE ${isKey('phone_key')} AND failed_at > $2
   ORDER BY failed_at DESC LIMIT $3`,
);

/**
 * Makes guesses at codes of this number wait for the end of the transaction.
 *
 * @returns when the newest failed guesses of the window were made, at most `limit`, the newest first.
 */
export async function lockFailures(
  transaction: EntityManager,
  phoneKeys: readonly Buffer[],
  { now, limit }: { now: Date; limit: number },
): Promise<Date[]> {
  // No row's lock: a transaction that holds it goes on to rows of the user, and another goes from those to the number's.
  // All keys, so that replicas at either side of a step of a rotation share one.
  await lockKeys(transaction, phoneKeys);
  const since = new Date(now.getTime() - FAILURE_WINDOW_MS);
  const rows = await readFailures(transaction, [phoneKeys, since, limit]);
  return rows.map((row) => row.failed_at);
}

const forgetNumber = statement<{ failures: number; sends: number }>(
  'phone_limit_forget',
  `WITH limits AS (DELETE FROM phone_limits WHERE phone_key = ANY ($1::bytea[])),
   failures AS (DELETE FROM phone_failures WHERE phone_key = ANY ($1::bytea[]) RETURNING 1),
   sends AS (DELETE FROM phone_sends WHERE phone_key = ANY ($1::bytea[]) RETURNING 1)
   SELECT (SELECT count(*) FROM failures)::integer AS failures, (SELECT count(*) FROM sends)::integer AS sends`,
);

/** Forgets what was counted for a number. @returns how much there was. */
export async function forgetPhone(
  manager: EntityManager,
  phoneKeys: readonly Buffer[],
): Promise<{ failures: number; sends: number }> {
  const [row] = await forgetNumber(manager, [phoneKeys]);
  return row ?? { failures: 0, sends: 0 };
}

const purgeLimits = purgeStatement('phone_limits_purge', {
  table: 'phone_limits',
  key: 'phone_key',
  which: `keep_until < $2 AND next_send_at < $2 AND (refused_until IS NULL OR refused_until < $2)
          ORDER BY keep_until`,
});

/** Deletes the numbers of which nothing is to be kept. */
export function purgePhoneLimits(manager: EntityManager, now: Date): Promise<number> {
  return purgeLimits(manager, [now]);
}

const purgeSends = purgeStatement('phone_sends_purge', {
  table: 'phone_sends',
  key: 'id',
  which: 'id < $2 ORDER BY id',
});

/** Deletes the sends before an id. */
export function purgePhoneSends(manager: EntityManager, beforeId: string): Promise<number> {
  return purgeSends(manager, [beforeId]);
}

const purgeFailures = purgeStatement('phone_failures_purge', {
  table: 'phone_failures',
  key: 'id',
  which: 'id < $2 ORDER BY id',
});

/** Deletes the failed guesses before an id. */
export function purgePhoneFailures(manager: EntityManager, beforeId: string): Promise<number> {
  return purgeFailures(manager, [beforeId]);
}
