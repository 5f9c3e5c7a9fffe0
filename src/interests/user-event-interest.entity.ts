import { Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { EventInterest } from './event-interest.entity.js';

/** That a user chose an interest. */
@Entity('user_event_interests')
@Index('user_event_interests_event_interest_id_idx', ['eventInterestId'])
export class UserEventInterest {
  @PrimaryColumn('uuid', { name: 'user_id', primaryKeyConstraintName: 'user_event_interests_pkey' })
  userId!: string;

  @PrimaryColumn('uuid', {
    name: 'event_interest_id',
    primaryKeyConstraintName: 'user_event_interests_pkey',
  })
  eventInterestId!: string;

  // By name: users import interests, not the other way round.
  @ManyToOne('User', { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'user_event_interests_user_id_fkey' })
  user?: unknown;

  @ManyToOne(() => EventInterest)
  @JoinColumn({
    name: 'event_interest_id',
    foreignKeyConstraintName: 'user_event_interests_event_interest_id_fkey',
  })
  eventInterest?: EventInterest;
}
