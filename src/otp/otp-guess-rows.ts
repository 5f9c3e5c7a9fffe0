import type { EntityManager } from 'typeorm';

import { lockKeys } from '../platform/database/lock-keys.js';
import { purgeStatement } from '../platform/database/purge-statement.js';
import { statement } from '../platform/database/statement.js';
import type { AddressKeys } from './limits/limit-keys.js';
import type { OtpScope } from './otp-scope.js';

// The statements that take guesses at codes. Times are parameters: the clock is the app's.

/** An expired code answers "expired" for a day, then as if it had never been; its row is deleted some time later. */
export const FORGET_AFTER_MS = 24 * 60 * 60 * 1000;

export interface PendingOtp {
  id: string;
  /** Guesses before this one. */
  attempts: number;
  expiresAt: Date;
  /** Absent where no guess was left to claim. */
  claimed?: {
    attempts: number;
    hash: Buffer;
    salt: Buffer;
    keyId: string;
    codeLength: number;
    sentAt: Date;
  };
}

/** What a guess is counted as until it is found to be right. */
export interface NewFailure {
  id: string;
  phoneKey: Buffer;
  client: AddressKeys;
  country: string;
}

interface PendingRow {
  id: string;
  attempts: number;
  expires_at: Date;
  claimed_attempts: number | null;
  otp_hash: Buffer;
  otp_salt: Buffer;
  key_id: string;
  code_length: number;
  sent_at: Date;
}

// The guess is claimed, and counted as failed, before anything is compared: the row's lock makes racing guesses queue,
// and each then judges the newest count. With a verifier the bound code is the one meant, if there is a row of it in any state.
const claim = statement<PendingRow>(
  'otp_claim_guess',
  `WITH scope AS (
     SELECT id, code_challenge, attempts, expires_at, sent_at IS NOT NULL AND NOT is_verified AS is_pending
     FROM phone_otps
     WHERE phone_number = $1 AND purpose = $2 AND user_id IS NOT DISTINCT FROM $3 AND expires_at > $6
       AND (code_challenge IS NULL OR code_challenge = $4)
   ), pending AS (
     SELECT id, attempts, expires_at FROM scope
     WHERE is_pending AND (code_challenge IS NOT NULL) = EXISTS (SELECT 1 FROM scope WHERE code_challenge IS NOT NULL)
   ), claimed AS (
     UPDATE phone_otps o SET attempts = o.attempts + 1 FROM pending
     WHERE o.id = pending.id AND o.attempts < $7 AND o.expires_at > $5 AND NOT o.is_verified
     RETURNING o.id, o.attempts, o.otp_hash, o.otp_salt, o.key_id, o.code_length, o.sent_at
   ), failed AS (
     INSERT INTO phone_failures (id, phone_key, failed_at, device_key, address_key, network_key, country, code_length)
     SELECT $8::uuid, $9::bytea, $5, s.device_key, $10, $11, $12, claimed.code_length
     FROM claimed LEFT JOIN phone_sends s ON s.id = claimed.id
   )
   SELECT pending.id, pending.attempts, pending.expires_at,
          claimed.attempts AS claimed_attempts, claimed.otp_hash, claimed.otp_salt, claimed.key_id,
          claimed.code_length, claimed.sent_at
   FROM pending LEFT JOIN claimed ON claimed.id = pending.id`,
);

/** Claims a guess on the pending code of a scope and binding. @returns nothing where no code is pending. */
export async function claimGuess(
  manager: EntityManager,
  { phoneNumber, purpose, userId }: OtpScope,
  {
    codeChallenge,
    now,
    forgottenBefore,
    maxAttempts,
    failure,
  }: {
    codeChallenge: string | null;
    now: Date;
    /** Codes that expired before this are as if they had never been. */
    forgottenBefore: Date;
    maxAttempts: number;
    failure: NewFailure;
  },
): Promise<PendingOtp | undefined> {
  const [row] = await claim(manager, [
    phoneNumber,
    purpose,
    userId,
    codeChallenge,
    now,
    forgottenBefore,
    maxAttempts,
    failure.id,
    failure.phoneKey,
    failure.client.address,
    failure.client.network,
    failure.country,
  ]);
  if (!row) return undefined;
  const { id, attempts, expires_at: expiresAt } = row;
  if (row.claimed_attempts === null) return { id, attempts, expiresAt };
  const claimed = {
    attempts: row.claimed_attempts,
    hash: row.otp_hash,
    salt: row.otp_salt,
    keyId: row.key_id,
    codeLength: row.code_length,
    sentAt: row.sent_at,
  };
  return { id, attempts, expiresAt, claimed };
}

const useUp = statement<{ id: string }>(
  'otp_use_up',
  'UPDATE phone_otps SET is_verified = true WHERE id = $1 AND NOT is_verified RETURNING id',
);

/** The one gate of success: of several right guesses at once, one is told true. */
export async function useUpOtp(manager: EntityManager, id: string): Promise<boolean> {
  return (await useUp(manager, [id])).length > 0;
}

// The part of a key's hash that the previous version locks as well, which may still run.
const LOCKED_FROM = 4;

const findVerified = statement<{ session_id: string }>(
  'otp_find_verified',
  `SELECT session_id FROM phone_otps
   WHERE phone_number = $1 AND verify_key_hash = ANY ($2::bytea[])
   ORDER BY id DESC LIMIT 1`,
);

/**
 * Makes repeats of one verify wait for the end of the transaction of the first.
 *
 * @returns the session that a verify with one of these keys has opened.
 */
export async function sessionOfVerify(
  transaction: EntityManager,
  phoneNumber: string,
  keyHashes: readonly Buffer[],
): Promise<string | undefined> {
  // The first in order, so that replicas queue for the same lock whichever secret of a rotation makes.
  const [first] = [...keyHashes].sort((one, other) => Buffer.compare(one, other));
  if (first) await lockKeys(transaction, [first.subarray(LOCKED_FROM)]);
  const [row] = await findVerified(transaction, [phoneNumber, keyHashes]);
  return row?.session_id;
}

const markVerified = statement<never>(
  'otp_mark_verified',
  'UPDATE phone_otps SET session_id = $2, verify_key_hash = $3 WHERE id = $1',
);

/** Keeps which session a verify with a key has opened. */
export async function markVerifiedOtp(
  transaction: EntityManager,
  { id, sessionId, keyHash }: { id: string; sessionId: string; keyHash: Buffer },
): Promise<void> {
  await markVerified(transaction, [id, sessionId, keyHash]);
}

const purge = purgeStatement('otp_purge', { table: 'phone_otps', key: 'id', which: 'expires_at < $2' });

/** Deletes the codes that expired before a time. @returns how many there were. */
export function purgeOtps(manager: EntityManager, expiredBefore: Date): Promise<number> {
  return purge(manager, [expiredBefore]);
}
