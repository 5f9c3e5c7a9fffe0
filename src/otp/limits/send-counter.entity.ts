import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What is counted together: what one client address or its network asks for, or what goes to one range of numbers. */
export type CounterScope = 'address' | 'network' | 'prefix' | 'country' | 'service';

/** What happened in one minute or hour. Every event is counted in both: the minute serves the last hour, the hour the rest. */
@Entity('send_counters')
@Index('send_counters_starts_at_idx', ['span', 'startsAt'])
@Index('send_counters_places_idx', ['scope', 'startsAt'], {
  where: `span = 60 AND scope IN ('country', 'prefix')`,
})
@Check('send_counters_scope_check', `scope IN ('address', 'network', 'prefix', 'country', 'service')`)
@Check('send_counters_span_check', `span IN (1, 60)`)
export class SendCounter {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'send_counters_pkey' })
  scope!: CounterScope;

  /** HMAC of an address or network; a prefix, a country; empty for the service. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'send_counters_pkey' })
  key!: string;

  /** Minutes: 1 or 60. */
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'send_counters_pkey' })
  span!: number;

  @PrimaryColumn('timestamptz', { name: 'starts_at', primaryKeyConstraintName: 'send_counters_pkey' })
  startsAt!: Date;

  /** Of the numbers, for addresses and networks; empty for the other scopes. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'send_counters_pkey' })
  country!: string;

  /** What all sends have in common is counted in several rows, or each would wait for the one before. Only their sum counts: what one adds another may take back. */
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'send_counters_pkey', default: 0 })
  slot!: number;

  /** Texts with codes that were sent then. */
  @Column('integer', { default: 0 })
  sends!: number;

  /** Those of them whose number has signed in since: for an address or network, from it; within a day. */
  @Column('integer', { default: 0 })
  verified!: number;

  /** Those of `sends` to numbers without an account. */
  @Column('integer', { name: 'new_sends', default: 0 })
  newSends!: number;

  /** Those of `verified` to numbers that had no account. */
  @Column('integer', { name: 'new_verified', default: 0 })
  newVerified!: number;

  /** Wrong guesses made then; less those forgiven, for an address or network. */
  @Column('integer', { default: 0 })
  failures!: number;

  /** Codes guessed right then; for an address or network, by different numbers. */
  @Column('integer', { name: 'sign_ins', default: 0 })
  signIns!: number;

  /** Sends that a breaker refused, or would have. */
  @Column('integer', { default: 0 })
  refused!: number;

  /** Of `sends`, by the word of the carrier. */
  @Column('integer', { default: 0 })
  delivered!: number;

  @Column('integer', { default: 0 })
  undelivered!: number;
}
