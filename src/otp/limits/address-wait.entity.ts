import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { AddressScope } from './address-budget.js';

/** A number that waits until fewer codes are under way for the address that asked for it, or for its network. */
@Entity('address_waits')
@Index('address_waits_queue_idx', ['scope', 'key', 'expectedUntil'], { where: 'has_returned' })
@Index('address_waits_expected_until_idx', ['expectedUntil'])
@Check('address_waits_scope_check', `scope IN ('address', 'network')`)
export class AddressWait {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'address_waits_pkey' })
  scope!: AddressScope;

  /** HMAC of the address or network. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'address_waits_pkey' })
  key!: string;

  @PrimaryColumn('bytea', { name: 'phone_key', primaryKeyConstraintName: 'address_waits_pkey' })
  phoneKey!: Buffer;

  /** What its place in the queue goes by. */
  @Column('timestamptz')
  since!: Date;

  /** Whether it has asked again: until then it goes before nobody. */
  @Column('boolean', { name: 'has_returned', default: false })
  hasReturned!: boolean;

  /** It goes before others until then; who asks later still has the place, for a while. */
  @Column('timestamptz', { name: 'expected_until' })
  expectedUntil!: Date;
}
