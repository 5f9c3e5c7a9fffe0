import type { EntityManager } from 'typeorm';

import { isUniqueViolation } from '../platform/database/database-errors.js';
import { keyedStatement } from '../platform/database/keyed-statement.js';
import { statement } from '../platform/database/statement.js';
import type { BreakerDecision } from './breakers/sms-breakers.service.js';
import type { AddressGrant } from './limits/address-limits.service.js';
import { leaveQueues } from './limits/address-queue-rows.js';
import { moveTurn } from './limits/address-turn-rows.js';
import type { PhoneKeys } from './limits/limit-keys.js';
import type { LengthDecision } from './limits/code-length.js';
import { countEvents, type CountedEvent, eventsIn } from './limits/send-counter-rows.js';
import type { OtpScope } from './otp-scope.js';

// The statements that make a code. Times are parameters: the clock is the app's.

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

/** What is kept of a send, beside its code, for the budgets of those after it. */
export interface NewSend {
  phoneKeys: PhoneKeys;
  /** On condition of these: see `JudgedSend`. */
  lastSendIds: readonly string[];
  turns: AddressGrant['turns'];
  keepUntil: Date;
  deviceKey: string | null;
  country: string;
  prefix: string;
  isNew: boolean;
  resendSeconds: number;
  decision: SendDecision;
  trickleOf: string | null;
  /** Whether nothing is to be counted of it when the number signs in: no text goes out. */
  isSettled: boolean;
  events: readonly CountedEvent[];
}

/** Why a code went out as it did. */
interface SendDecision {
  length: LengthDecision;
  /** The open breaker that it went through, or would not have. */
  breaker?: BreakerDecision;
}

// One statement: the turns of the number and of its client move, the code and its send are written, and they are
// counted, or nothing is but a turn. Of N signups at once that have read the same last send one gets through, and a
// crash leaves none without the others. All keys of the number move, so that replicas at either side of a step of a
// rotation meet; a row that was deleted and made anew never has an id that was read.
const reserve = statement<{ id: string }>(
  'otp_reserve',
  `WITH moved AS (
     INSERT INTO phone_limits AS l (phone_key, last_send_id, keep_until)
     SELECT key, $4::uuid, $2::timestamptz FROM unnest($1::bytea[]) AS key ORDER BY key
     ON CONFLICT (phone_key) DO UPDATE SET last_send_id = excluded.last_send_id, keep_until = excluded.keep_until
       WHERE l.last_send_id IS NULL OR l.last_send_id = ANY ($3::uuid[])
     RETURNING 1
   ), number AS (
     SELECT ($1::bytea[])[1] AS phone_key WHERE (SELECT count(*) FROM moved) = cardinality($1::bytea[])
   ), address AS (
     ${moveTurn('address', 'number', 26, '$2')}
   ), network AS (
     ${moveTurn('network', 'address', 29, '$2')}
   ), turn AS (
     SELECT phone_key FROM number WHERE EXISTS (SELECT FROM network)
   ), let_in AS (
     ${leaveQueues('(SELECT phone_key FROM turn)', { address: '$26', network: '$29' })}
   ), code AS (
     INSERT INTO phone_otps (id, phone_number, purpose, user_id, code_challenge, otp_hash, otp_salt, key_id,
                             code_length, created_at, expires_at, request_key_hash, request_hash)
     SELECT $4::uuid, $5, $6, $7::uuid, $8, $9::bytea, $10::bytea, $11, $12::smallint, $13::timestamptz,
            $14::timestamptz, $15::bytea, $16::bytea
     FROM turn
   ), send AS (
     INSERT INTO phone_sends (id, phone_key, sent_at, device_key, address_key, network_key, country, prefix, is_new,
                              code_length, resend_seconds, decision, trickle_of, is_settled)
     SELECT $4::uuid, phone_key, $13::timestamptz, $17, $26, $29, $18, $19, $20::boolean, $12::smallint, $21::integer,
            $22::jsonb, $23, $24::boolean
     FROM turn
     RETURNING id
   ), events AS (
     SELECT e.* FROM turn, (${eventsIn('$25')}) AS e
   ), counted AS (
     ${countEvents(['sends', 'new_sends'])}
   )
   SELECT id FROM send`,
);

/** Writes a code as unsent, and its send. @returns false where others were faster. */
export async function reserveOtp(manager: EntityManager, otp: NewOtp, send: NewSend): Promise<boolean> {
  const { address, network } = send.turns;
  const rows = await reserve(manager, [
    send.phoneKeys,
    send.keepUntil,
    send.lastSendIds,
    otp.id,
    otp.phoneNumber,
    otp.purpose,
    otp.userId,
    otp.codeChallenge,
    otp.hash,
    otp.salt,
    otp.keyId,
    otp.codeLength,
    otp.createdAt,
    otp.expiresAt,
    otp.request?.keyHash,
    otp.request?.bodyHash,
    send.deviceKey,
    send.country,
    send.prefix,
    send.isNew,
    send.resendSeconds,
    JSON.stringify(send.decision),
    send.trickleOf,
    send.isSettled,
    JSON.stringify(send.events),
    ...[address, network].flatMap(({ key, seen, last }) => [key, seen, last]),
  ]);
  return rows.length > 0;
}

interface RequestRow {
  phone_number: string;
  code_length: number;
  request_hash: Buffer;
  resend_seconds: number | null;
  is_sent: boolean;
}

/** What a request with an Idempotency-Key was answered. */
export interface AnsweredRequest {
  phoneNumber: string;
  codeLength: number;
  /** Null where the previous version has sent it. */
  resendSeconds: number | null;
  bodyHash: Buffer;
  /** Else it will be answered once the provider has it. */
  isSent: boolean;
}

const findRequest = keyedStatement<RequestRow>(
  'otp_find_request',
  (isKey) => `SELECT o.phone_number, o.code_length, o.request_hash, s.resend_seconds,
     o.sent_at IS NOT NULL AS is_sent
   FROM phone_otps o LEFT JOIN phone_sends s ON s.id = o.id
   WHERE ${isKey('o.request_key_hash')} AND NOT o.is_verified AND o.expires_at > $2
     AND (o.sent_at IS NOT NULL OR o.created_at > $3)
   ORDER BY o.id DESC LIMIT 1`,
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
): Promise<AnsweredRequest | undefined> {
  const [row] = await findRequest(manager, [keyHashes, now, begunAfter]);
  return (
    row && {
      phoneNumber: row.phone_number,
      codeLength: row.code_length,
      resendSeconds: row.resend_seconds,
      bodyHash: row.request_hash,
      isSent: row.is_sent,
    }
  );
}

// The earlier code goes and this one comes in one step, so the number is never without one. The sub-select makes
// PostgreSQL finish the deletion first, or the unique index would refuse the update. A name that another text has
// already is a provider's mistake, and no reason to lose a code.
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
     message_sid = CASE WHEN NOT EXISTS (SELECT FROM phone_otps WHERE message_sid = $8) THEN $8 END,
     request_key_hash = CASE WHEN $7 THEN request_key_hash END, request_hash = CASE WHEN $7 THEN request_hash END
   WHERE id = $1 AND (SELECT count(*) FROM earlier) >= 0
   RETURNING id`,
);

/**
 * Makes a code guessable, in place of the earlier one of the same binding. A later one that came first stays.
 *
 * @param isRepeatable whether its request was answered with success, and may be repeated for that.
 * @param messageSid how the provider calls the text.
 */
export async function activateOtp(
  manager: EntityManager,
  otp: NewOtp,
  {
    sentAt,
    isRepeatable,
    messageSid,
  }: { sentAt: Date; isRepeatable: boolean; messageSid: string | undefined },
): Promise<void> {
  const { id, phoneNumber, purpose, userId, codeChallenge } = otp;
  const values = [id, phoneNumber, purpose, userId, codeChallenge, sentAt, isRepeatable, messageSid];
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
  `WITH withdrawn AS (DELETE FROM phone_otps WHERE id = $1),
   given_back AS (DELETE FROM phone_sends WHERE id = $1 RETURNING id),
   events AS (SELECT e.* FROM given_back, (${eventsIn('$2')}) AS e)
   ${countEvents(['sends', 'new_sends'])}`,
);

/** Takes back a code that the provider refused, its send and what that was counted as. */
export async function withdrawOtp(
  manager: EntityManager,
  otp: NewOtp,
  events: readonly CountedEvent[],
): Promise<void> {
  const less = events.map((event) => ({
    ...event,
    sends: -(event.sends ?? 0),
    new_sends: -(event.new_sends ?? 0),
  }));
  await withdraw(manager, [otp.id, JSON.stringify(less)]);
}
