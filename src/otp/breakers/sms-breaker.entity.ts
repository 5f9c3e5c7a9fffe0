import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Whether the rules decide, or an administrator has. */
export type BreakerMode = 'auto' | 'open' | 'closed';

/** A breaker that is open, was lately, or is held by an administrator; those that have no row are closed. */
@Entity('sms_breakers')
@Index('sms_breakers_changed_at_idx', ['changedAt'])
@Index('sms_breakers_in_force_idx', ['changedAt'], { where: `opened_at IS NOT NULL OR mode <> 'auto'` })
@Check('sms_breakers_mode_check', `mode IN ('auto', 'open', 'closed')`)
@Check(
  'sms_breakers_open_check',
  `CASE mode WHEN 'auto' THEN (opened_at IS NULL) = (open_until IS NULL)
          ELSE open_until IS NULL AND (opened_at IS NULL) = (mode = 'closed') END`,
)
@Check('sms_breakers_reason_check', `opened_at IS NULL OR reason IS NOT NULL`)
export class SmsBreaker {
  /** `service`, `country:BR`, `prefix:+551196123`. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'sms_breakers_pkey' })
  scope!: string;

  @Column('text', { default: 'auto' })
  mode!: BreakerMode;

  /** Null while it is closed. */
  @Column('timestamptz', { name: 'opened_at', nullable: true })
  openedAt!: Date | null;

  /** Null where an administrator opened it. */
  @Column('timestamptz', { name: 'open_until', nullable: true })
  openUntil!: Date | null;

  /** How often it has opened without a quiet day between: each time for twice as long. */
  @Column('smallint', { default: 0 })
  trips!: number;

  /** What opened it last. */
  @Column('jsonb', { nullable: true })
  reason!: object | null;

  /** When a send last went through it, to see how it fares. */
  @Column('timestamptz', { name: 'trickled_at', nullable: true })
  trickledAt!: Date | null;

  /** When it last closed: what was sent before is not held against it again. */
  @Column('timestamptz', { name: 'counts_from', nullable: true })
  countsFrom!: Date | null;

  /** When the log was last told that its limits are nearly reached. */
  @Column('timestamptz', { name: 'alarmed_at', nullable: true })
  alarmedAt!: Date | null;

  /** When it last opened or closed. */
  @Column('timestamptz', { name: 'changed_at' })
  changedAt!: Date;
}
