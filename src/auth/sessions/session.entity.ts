import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { User } from '../../users/user.entity.js';

/**
 * Why a session ended before its time: by its user, by a stolen token, for a newer one, with its phone number or its
 * account, with the suspension of its user, or by an administrator.
 */
export type RevokedReason =
  'logout' | 'ended' | 'reuse' | 'limit' | 'phone_change' | 'account_deleted' | 'suspended' | 'administrator';

export type PushPlatform = 'ios' | 'android' | 'web';

/** One signed-in device. No token is stored: salt and counter derive the one refresh token that is good now. */
@Entity('sessions')
@Index('sessions_user_id_idx', ['userId'])
@Check('sessions_counter_check', `counter >= 0`)
@Check('sessions_push_check', `(push_platform IS NULL) = (push_token IS NULL)`)
@Check('sessions_push_platform_check', `push_platform IN ('ios', 'android', 'web')`)
@Index('sessions_ended_idx', { synchronize: false })
@Index('sessions_push_token_idx', { synchronize: false })
@Check('sessions_revoked_check', `(revoked_at IS NULL) = (revoked_reason IS NULL)`)
export class Session {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sessions_pkey' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'sessions_user_id_fkey' })
  user?: User;

  @Column('bytea')
  salt!: Buffer;

  /** How often it was refreshed. */
  @Column('integer', { default: 0 })
  counter!: number;

  /** Digits of the code that opened it. */
  @Column('smallint', { name: 'code_length' })
  codeLength!: number;

  @Column('text', { name: 'device_name', nullable: true })
  deviceName!: string | null;

  @Column('text')
  ip!: string;

  @Column('text', { name: 'user_agent', nullable: true })
  userAgent!: string | null;

  @Column('timestamptz', { name: 'authenticated_at' })
  authenticatedAt!: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'last_used_at' })
  lastUsedAt!: Date;

  @Column('timestamptz', { name: 'rotated_at', nullable: true })
  rotatedAt!: Date | null;

  /** HMAC of the Idempotency-Key of the last refresh. */
  @Column('bytea', { name: 'refresh_key_hash', nullable: true })
  refreshKeyHash!: Buffer | null;

  /** The earlier of both limits: since the last use, and since the start. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('text', { name: 'revoked_reason', nullable: true })
  revokedReason!: RevokedReason | null;

  @Column('text', { name: 'push_platform', nullable: true })
  pushPlatform!: PushPlatform | null;

  /** Where to push to this device: what the platform's push service gave the app. Gone once the session is revoked. */
  @Column('text', { name: 'push_token', nullable: true })
  pushToken!: string | null;
}
