import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What is known of one number, under an HMAC of it: it outlives the account. */
@Entity('phone_limits')
@Index('phone_limits_keep_until_idx', ['keepUntil'])
@Check(
  'phone_limits_refused_check',
  `(refused_code IS NULL) = (refused_until IS NULL)
          AND refused_code IN ('phone_number_unreachable', 'phone_number_unsupported')`,
)
export class PhoneLimit {
  @PrimaryColumn('bytea', { name: 'phone_key', primaryKeyConstraintName: 'phone_limits_pkey' })
  phoneKey!: Buffer;

  /** Only the previous version goes by it. */
  @Column('timestamptz', { name: 'next_send_at', default: () => "'-infinity'" })
  nextSendAt!: Date;

  /** Only the previous version goes by it. */
  @Column('integer', { default: 0 })
  version!: number;

  /** The newest one, whatever became of it: of two signups that have read the same, one gets through. */
  @Column('uuid', { name: 'last_send_id', nullable: true })
  lastSendId!: string | null;

  /** When the number last signed in, or moved an account. */
  @Column('timestamptz', { name: 'signed_in_at', nullable: true })
  signedInAt!: Date | null;

  /** What its carrier said of it: the problem that signups are answered with. */
  @Column('text', { name: 'refused_code', nullable: true })
  refusedCode!: 'phone_number_unreachable' | 'phone_number_unsupported' | null;

  @Column('timestamptz', { name: 'refused_until', nullable: true })
  refusedUntil!: Date | null;

  /** When the row may go. */
  @Column('timestamptz', { name: 'keep_until', default: () => "'-infinity'" })
  keepUntil!: Date;
}
