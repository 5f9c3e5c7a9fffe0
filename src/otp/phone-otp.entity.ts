import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { OtpPurpose } from './otp-purpose.js';
import type { DeliveryStatus } from './receipts/delivery-status.js';

/**
 * A one-time code. `sent_at` is empty until the provider took the text: until then nobody can guess at it, and an
 * earlier code stays good. One row a number, purpose, user and binding can be pending.
 */
@Entity('phone_otps')
@Index('phone_otps_phone_number_idx', ['phoneNumber'])
// NULLS NOT DISTINCT, which TypeORM cannot say: the migration makes it.
@Index('phone_otps_pending_key', { synchronize: false })
@Check('phone_otps_purpose_check', `purpose IN ('sign_in', 'phone_change')`)
@Check('phone_otps_user_check', `(purpose = 'phone_change') = (user_id IS NOT NULL)`)
@Check('phone_otps_code_length_check', `code_length BETWEEN 4 AND 8`)
@Check('phone_otps_request_check', `(request_key_hash IS NULL) = (request_hash IS NULL)`)
@Check('phone_otps_verify_check', `verify_key_hash IS NULL OR session_id IS NOT NULL`)
@Index('phone_otps_user_id_idx', ['userId'], { where: 'user_id IS NOT NULL' })
@Index('phone_otps_request_key_hash_idx', ['requestKeyHash'], { where: 'request_key_hash IS NOT NULL' })
@Check('phone_otps_attempts_check', `attempts >= 0`)
@Index('phone_otps_message_sid_idx', ['messageSid'], { unique: true, where: 'message_sid IS NOT NULL' })
@Check(
  'phone_otps_delivery_status_check',
  `delivery_status IN ('queued', 'accepted', 'sending', 'sent', 'delivered', 'undelivered', 'failed')`,
)
export class PhoneOtp {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'phone_otps_pkey' })
  id!: string;

  @Column('text', { name: 'phone_number' })
  phoneNumber!: string;

  @Column('text')
  purpose!: OtpPurpose;

  /** Who asked for a phone change. */
  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @Column('text', { name: 'code_challenge', nullable: true })
  codeChallenge!: string | null;

  @Column('bytea', { name: 'otp_hash' })
  otpHash!: Buffer;

  @Column('bytea', { name: 'otp_salt' })
  otpSalt!: Buffer;

  /** The secret whose key made `otp_hash`. */
  @Column('text', { name: 'key_id' })
  keyId!: string;

  @Column('smallint', { name: 'code_length' })
  codeLength!: number;

  /** Used up by a right guess. */
  @Column('boolean', { name: 'is_verified', default: false })
  isVerified!: boolean;

  @Column('smallint', { default: 0 })
  attempts!: number;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt!: Date | null;

  /** How the provider calls the text, where it reports what becomes of it. */
  @Column('text', { name: 'message_sid', nullable: true })
  messageSid!: string | null;

  /** The newest that it reported. */
  @Column('text', { name: 'delivery_status', nullable: true })
  deliveryStatus!: DeliveryStatus | null;

  /** Its code of why the text did not arrive. */
  @Column('integer', { name: 'delivery_error', nullable: true })
  deliveryError!: number | null;

  /** When it reported that the text had arrived. */
  @Column('timestamptz', { name: 'delivered_at', nullable: true })
  deliveredAt!: Date | null;

  /** HMAC of the Idempotency-Key of the signup that it answered. */
  @Column('bytea', { name: 'request_key_hash', nullable: true })
  requestKeyHash!: Buffer | null;

  /** HMAC of the body of that signup. */
  @Column('bytea', { name: 'request_hash', nullable: true })
  requestHash!: Buffer | null;

  /** HMAC of the Idempotency-Key of the verify that used it up. */
  @Column('bytea', { name: 'verify_key_hash', nullable: true })
  verifyKeyHash!: Buffer | null;

  /** The session that it opened. */
  @Column('uuid', { name: 'session_id', nullable: true })
  sessionId!: string | null;
}
