import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A text with a code that was sent, for a day: what the budgets of its number are counted by. */
@Entity('phone_sends')
@Index('phone_sends_phone_key_idx', ['phoneKey', 'sentAt'])
@Index('phone_sends_trickle_of_idx', ['trickleOf', 'sentAt'], { where: 'trickle_of IS NOT NULL' })
@Check('phone_sends_verified_check', `(verified_at IS NULL) = (verified_from IS NULL)`)
export class PhoneSend {
  /** That of its code. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'phone_sends_pkey' })
  id!: string;

  /** HMAC of the number. */
  @Column('bytea', { name: 'phone_key' })
  phoneKey!: Buffer;

  @Column('timestamptz', { name: 'sent_at' })
  sentAt!: Date;

  /** Id of the device, where it went by the own-device lane. */
  @Column('text', { name: 'device_key', nullable: true })
  deviceKey!: string | null;

  /** HMAC of the address (IPv4 /32, IPv6 /64) that asked. */
  @Column('text', { name: 'address_key' })
  addressKey!: string;

  /** HMAC of its network (IPv4 /24, IPv6 /48). */
  @Column('text', { name: 'network_key' })
  networkKey!: string;

  /** Of the number, ISO 3166-1 alpha-2. */
  @Column('text')
  country!: string;

  /** The number without its last four digits. */
  @Column('text')
  prefix!: string;

  /** Whether the number had no account. */
  @Column('boolean', { name: 'is_new' })
  isNew!: boolean;

  @Column('smallint', { name: 'code_length' })
  codeLength!: number;

  /** How long the next one had to wait. */
  @Column('integer', { name: 'resend_seconds', default: 0 })
  resendSeconds!: number;

  /** Why its code was that long, and what a breaker had said. */
  @Column('jsonb')
  decision!: object;

  /** The open breaker that let it through to see how it fares, e.g. `country:BR`. */
  @Column('text', { name: 'trickle_of', nullable: true })
  trickleOf!: string | null;

  /** When this very code was guessed right. */
  @Column('timestamptz', { name: 'verified_at', nullable: true })
  verifiedAt!: Date | null;

  /** HMAC of the address that did. */
  @Column('text', { name: 'verified_from', nullable: true })
  verifiedFrom!: string | null;

  /** Whether the number has signed in since. */
  @Column('boolean', { name: 'is_settled', default: false })
  isSettled!: boolean;

  /** Whether it has from the address that asked. */
  @Column('boolean', { name: 'is_forgiven', default: false })
  isForgiven!: boolean;
}
