import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { AddressScope } from './address-budget.js';

/** What orders the sends of one client address, or of its network. */
@Entity('address_limits')
@Index('address_limits_keep_until_idx', ['keepUntil'])
@Check('address_limits_scope_check', `scope IN ('address', 'network')`)
export class AddressLimit {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'address_limits_pkey' })
  scope!: AddressScope;

  /** HMAC */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'address_limits_pkey' })
  key!: string;

  /** One more with each send: how far it has moved is how many were sent since. It begins at the hour, in milliseconds. */
  @Column('bigint')
  turn!: string;

  /** When the row may go. */
  @Column('timestamptz', { name: 'keep_until' })
  keepUntil!: Date;
}
