import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

export type UserStatus = 'active' | 'suspended' | 'deleted';

/** A person, by phone number. */
@Entity('users')
@Unique('users_phone_number_key', ['phoneNumber'])
@Index('users_admins_idx', ['id'], { where: `'admin' = ANY (roles)` })
@Check('users_status_check', `status IN ('active', 'suspended', 'deleted')`)
@Check('users_phone_number_check', `(phone_number IS NULL) = (status = 'deleted')`)
@Index('users_not_active_idx', ['status', 'id'], { where: `status <> 'active'` })
@Check(
  'users_suspension_check',
  `(suspended_at IS NULL) = (suspension_reason IS NULL)
   AND (suspended_at IS NULL OR status = 'suspended')
   AND (suspended_by IS NULL OR suspended_at IS NOT NULL)`,
)
@Check('users_test_check', 'NOT is_test OR cardinality(roles) = 0')
export class User {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'users_pkey' })
  id!: string;

  /** E.164; null once erased. */
  @Column('text', { name: 'phone_number', nullable: true })
  phoneNumber!: string | null;

  @Column('text', { default: 'active' })
  status!: UserStatus;

  @Column('text', { array: true, default: '{}' })
  roles!: string[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'last_sign_in_at', nullable: true })
  lastSignInAt!: Date | null;

  /** When codes for a change of the number were asked for, of the last day. */
  @Column('timestamptz', { name: 'phone_changes_asked_at', array: true, default: '{}' })
  phoneChangesAskedAt!: Date[];

  /** Null where it was not an administrator who suspended the user. */
  @Column('timestamptz', { name: 'suspended_at', nullable: true })
  suspendedAt!: Date | null;

  /** Which administrator. */
  @Column('uuid', { name: 'suspended_by', nullable: true })
  suspendedBy!: string | null;

  @Column('text', { name: 'suspension_reason', nullable: true })
  suspensionReason!: string | null;

  /** When uploads of pictures were begun, of the hour before the last one. */
  @Column('timestamptz', { name: 'uploads_at', array: true, default: '{}' })
  uploadsAt!: Date[];

  /** Made by the fixed code of a test number, and a test account for good. */
  @Column('boolean', { name: 'is_test', default: false })
  isTest!: boolean;
}
