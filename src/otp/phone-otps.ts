import type { EntityManager } from 'typeorm';

import { isUniqueViolation } from '../platform/database/database-errors.js';
import { statement } from '../platform/database/statement.js';
import type { OtpPurpose } from './otp-purpose.js';

// Every statement on `phone_otps` and `phone_limits`. Times are parameters: the clock is the app's.

/** An expired code answers "expired" for a day, then as if it had never been; its row is deleted some time later. */
export const FORGET_AFTER_MS = 24 * 60 * 60 * 1000;

/** Which codes a request is about: those of one number and purpose, and of one user for a phone change. */
export interface OtpScope {
  phoneNumber: string;
  purpose: OtpPurpose;
  userId: string | null;
}

export interface NewOtp extends OtpScope {
  id: string;
  codeChallenge: string | null;
  hash: Buffer;
  salt: Buffer;
  keyId: string;
  codeLength: number;
  createdAt: Date;
  expiresAt: Date;
  /** The request that it answers, where that may be repeated. */
  request: HashedRequest | undefined;
}

/** The Idempotency-Key of a signup and its body, as HMACs. */
export interface HashedRequest {
  keyHash: Buffer;
  bodyHash: Buffer;
}

// The wait is claimed and the code written by one statement: of N signups at once one gets through, and a crash
// leaves neither without the other. An upsert waits for the row's lock and then judges the newest version.
const reserve = statement<{ id: string }>(
  'otp_reserve',
  `WITH turn AS (
     INSERT INTO phone_limits AS l (phone_key, next_send_at) VALUES ($1, $2)
     ON CONFLICT (phone_key) DO UPDATE SET next_send_at = excluded.next_send_at WHERE l.next_send_at <= $3
     RETURNING phone_key
   )
   INSERT INTO phone_otps (id, phone_number, purpose, user_id, code_challenge, otp_hash, otp_salt, key_id,
                           code_length, created_at, expires_at, request_key_hash, request_hash)
   SELECT $4::uuid, $5, $6, $7::uuid, $8, $9::bytea, $10::bytea, $11, $12::smallint, $3, $13::timestamptz, $14::bytea,
          $15::bytea
   FROM turn
   RETURNING id`,
);

/** Writes a code as unsent and starts the number's wait. @returns false inside the wait of an earlier one. */
export async function reserveOtp(
  manager: EntityManager,
  otp: NewOtp,
  wait: { phoneKey: Buffer; until: Date },
): Promise<boolean> {
  const rows = await reserve(manager, [
    wait.phoneKey,
    wait.until,
    otp.createdAt,
    otp.id,
    otp.phoneNumber,
    otp.purpose,
    otp.userId,
    otp.codeChallenge,
    otp.hash,
    otp.salt,
    otp.keyId,
    otp.codeLength,
    otp.expiresAt,
    otp.request?.keyHash,
    otp.request?.bodyHash,
  ]);
  return rows.length > 0;
}

const readWait = statement<{ next_send_at: Date }>(
  'otp_read_wait',
  'SELECT next_send_at FROM phone_limits WHERE phone_key = $1',
);

/** When the number may be sent the next code; nothing where it never was sent one. */
export async function nextSendAt(manager: EntityManager, phoneKey: Buffer): Promise<Date | undefined> {
  const [row] = await readWait(manager, [phoneKey]);
  return row?.next_send_at;
}

interface RequestRow {
  phone_number: string;
  code_length: number;
  request_hash: Buffer;
  is_sent: boolean;
}

const findRequest = statement<RequestRow>(
  'otp_find_request',
  `SELECT phone_number, code_length, request_hash, sent_at IS NOT NULL AS is_sent FROM phone_otps
   WHERE request_key_hash = ANY ($1::bytea[]) AND NOT is_verified AND expires_at > $2
     AND (sent_at IS NOT NULL OR created_at > $3)
   ORDER BY id DESC LIMIT 1`,
);

/**
 * The code that a signup with one of these keys was answered with, or will be once it is sent, while it is pending.
 *
 * @param times.begunAfter one that began to be sent before this, and still is not, never will be: its server has died.
 */
export async function findOtpOfRequest(
  manager: EntityManager,
  keyHashes: readonly Buffer[],
  { now, begunAfter }: { now: Date; begunAfter: Date },
): Promise<{ phoneNumber: string; codeLength: number; bodyHash: Buffer; isSent: boolean } | undefined> {
  const [row] = await findRequest(manager, [keyHashes, now, begunAfter]);
  return (
    row && {
      phoneNumber: row.phone_number,
      codeLength: row.code_length,
      bodyHash: row.request_hash,
      isSent: row.is_sent,
    }
  );
}

// The earlier code goes and this one comes in one step, so the number is never without one. The sub-select makes
// PostgreSQL finish the deletion first, or the unique index would refuse the update.
const activate = statement<{ id: string }>(
  'otp_activate',
  `WITH earlier AS (
     DELETE FROM phone_otps
     WHERE phone_number = $2 AND purpose = $3 AND user_id IS NOT DISTINCT FROM $4
       AND code_challenge IS NOT DISTINCT FROM $5
       AND sent_at IS NOT NULL AND NOT is_verified AND id < $1
     RETURNING id
   )
   UPDATE phone_otps SET sent_at = $6,
     request_key_hash = CASE WHEN $7 THEN request_key_hash END, request_hash = CASE WHEN $7 THEN request_hash END
   WHERE id = $1 AND (SELECT count(*) FROM earlier) >= 0
   RETURNING id`,
);

/**
 * Makes a code guessable, in place of the earlier one of the same binding. A later one that came first stays.
 *
 * @param isRepeatable whether its request was answered with success, and may be repeated for that.
 */
export async function activateOtp(
  manager: EntityManager,
  otp: NewOtp,
  { sentAt, isRepeatable }: { sentAt: Date; isRepeatable: boolean },
): Promise<void> {
  const { id, phoneNumber, purpose, userId, codeChallenge } = otp;
  const values = [id, phoneNumber, purpose, userId, codeChallenge, sentAt, isRepeatable];
  const once = () => activate(manager, values);
  const unlessTaken = (error: unknown): 'taken' => {
    if (!isUniqueViolation(error)) throw error;
    return 'taken';
  };
  // Two slow sends can end together, neither seeing the other's row: the second look decides by age.
  if ((await once().catch(unlessTaken)) !== 'taken') return;
  if ((await once().catch(unlessTaken)) === 'taken') await manager.delete('phone_otps', { id });
}

const withdraw = statement<never>(
  'otp_withdraw',
  `WITH withdrawn AS (DELETE FROM phone_otps WHERE id = $1)
   UPDATE phone_limits SET next_send_at = $2 WHERE phone_key = $3 AND next_send_at = $4`,
);

/** Takes back a code that the provider refused, and the wait that it started. */
export async function withdrawOtp(
  manager: EntityManager,
  otp: NewOtp,
  wait: { phoneKey: Buffer; until: Date },
): Promise<void> {
  await withdraw(manager, [otp.id, otp.createdAt, wait.phoneKey, wait.until]);
}

export interface PendingOtp {
  id: string;
  /** Guesses before this one. */
  attempts: number;
  expiresAt: Date;
  /** Absent where no guess was left to claim. */
  claimed?: { attempts: number; hash: Buffer; salt: Buffer; keyId: string };
}

interface PendingRow {
  id: string;
  attempts: number;
  expires_at: Date;
  claimed_attempts: number | null;
  otp_hash: Buffer;
  otp_salt: Buffer;
  key_id: string;
}

// The guess is claimed before anything is compared: the row's lock makes racing guesses queue, and each then judges
// the newest count. With a verifier the bound code is the one meant, if there is a row of it in any state.
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
     RETURNING o.id, o.attempts, o.otp_hash, o.otp_salt, o.key_id
   )
   SELECT pending.id, pending.attempts, pending.expires_at,
          claimed.attempts AS claimed_attempts, claimed.otp_hash, claimed.otp_salt, claimed.key_id
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
  }: {
    codeChallenge: string | null;
    now: Date;
    /** Codes that expired before this are as if they had never been. */
    forgottenBefore: Date;
    maxAttempts: number;
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
  ]);
  if (!row) return undefined;
  const { id, attempts, expires_at: expiresAt } = row;
  if (row.claimed_attempts === null) return { id, attempts, expiresAt };
  const { claimed_attempts, otp_hash: hash, otp_salt: salt, key_id: keyId } = row;
  return { id, attempts, expiresAt, claimed: { attempts: claimed_attempts, hash, salt, keyId } };
}

const useUp = statement<{ id: string }>(
  'otp_use_up',
  'UPDATE phone_otps SET is_verified = true WHERE id = $1 AND NOT is_verified RETURNING id',
);

/** The one gate of success: of several right guesses at once, one is told true. */
export async function useUpOtp(manager: EntityManager, id: string): Promise<boolean> {
  return (await useUp(manager, [id])).length > 0;
}

const lockVerify = statement<never>('otp_lock_verify', 'SELECT pg_advisory_xact_lock($1::bigint)');

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
  await lockVerify(transaction, [first?.readBigInt64BE(4).toString()]);
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

const purge = statement<{ deleted: number }>(
  'otp_purge',
  `WITH purged AS (
     DELETE FROM phone_otps
     WHERE id = ANY (ARRAY(SELECT id FROM phone_otps WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
     RETURNING id
   )
   SELECT count(*)::integer AS deleted FROM purged`,
);

/** Deletes up to `limit` codes that expired before a time. @returns how many there were. */
export async function purgeOtps(manager: EntityManager, expiredBefore: Date, limit: number): Promise<number> {
  const [row] = await purge(manager, [expiredBefore, limit]);
  return row!.deleted;
}
