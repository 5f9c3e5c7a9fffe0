import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import { countEvents } from '../limits/send-counter-rows.js';
import type { OtpPurpose } from '../otp-purpose.js';
import { type DeliveryStatus, earlierThan, isFinal } from './delivery-status.js';

/** The code whose text a receipt is about. */
export interface ReceivedOtp {
  id: string;
  phoneNumber: string;
  purpose: OtpPurpose;
  sentAt: Date;
}

interface ReceivedRow {
  is_known: boolean;
  id: string | null;
  phone_number: string;
  purpose: OtpPurpose;
  sent_at: Date;
}

// The row's lock makes receipts of one text queue, and each then judges by the newest status: of N that say the same
// one moves it, and none moves it back.
const receive = statement<ReceivedRow>(
  'otp_receive',
  `WITH moved AS (
     UPDATE phone_otps SET delivery_status = $2, delivery_error = $3::integer, delivered_at = $4::timestamptz
     WHERE message_sid = $1 AND (delivery_status IS NULL OR delivery_status = ANY ($5::text[]))
     RETURNING id, phone_number, purpose, sent_at
   )
   SELECT EXISTS (SELECT FROM phone_otps WHERE message_sid = $1) AS is_known, moved.*
   FROM (VALUES (1)) AS one (row) LEFT JOIN moved ON true`,
);

/**
 * Keeps what became of a text.
 *
 * @returns its code, if that is news; else whether the text is known at all.
 */
export async function receiveStatus(
  manager: EntityManager,
  receipt: { messageSid: string; status: DeliveryStatus; errorCode: number | null },
  now: Date,
): Promise<{ isKnown: boolean; otp: ReceivedOtp | undefined }> {
  const { messageSid, status, errorCode } = receipt;
  const deliveredAt = status === 'delivered' ? now : null;
  const [row] = await receive(manager, [messageSid, status, errorCode, deliveredAt, earlierThan(status)]);
  if (!row || row.id === null) return { isKnown: row?.is_known ?? false, otp: undefined };
  const { id, phone_number: phoneNumber, purpose, sent_at: sentAt } = row;
  return { isKnown: true, otp: { id, phoneNumber, purpose, sentAt } };
}

const count = statement<never>(
  'otp_count_receipt',
  `WITH events AS (
     SELECT scope, key, '' AS country, sent_at AS at, $2::integer AS delivered, 1 - $2::integer AS undelivered
     FROM phone_sends CROSS JOIN LATERAL (
       VALUES ('prefix', prefix), ('country', country), ('service', '')
     ) AS e (scope, key)
     WHERE id = $1
   )
   ${countEvents(['delivered', 'undelivered'])}`,
);

/** Counts a send as delivered, or as not, at the time that it was sent. The last statement of its transaction. */
export async function countReceipt(
  transaction: EntityManager,
  otpId: string,
  status: DeliveryStatus,
): Promise<void> {
  if (isFinal(status)) await count(transaction, [otpId, status === 'delivered' ? 1 : 0]);
}
