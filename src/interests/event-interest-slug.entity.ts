import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { EventInterest } from './event-interest.entity.js';

/** A slug that an interest has, or had. It stays that one's: what a client has kept never changes its meaning. */
@Entity('event_interest_slugs')
@Index('event_interest_slugs_event_interest_id_idx', ['eventInterestId'])
@Check(
  'event_interest_slugs_slug_check',
  `slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 64
   AND slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'`,
)
export class EventInterestSlug {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'event_interest_slugs_pkey' })
  slug!: string;

  @Column('uuid', { name: 'event_interest_id' })
  eventInterestId!: string;

  @ManyToOne(() => EventInterest, { onDelete: 'CASCADE' })
  @JoinColumn({
    name: 'event_interest_id',
    foreignKeyConstraintName: 'event_interest_slugs_event_interest_id_fkey',
  })
  eventInterest?: EventInterest;
}
