import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** Something that people go out for; users choose one to five of them. */
@Entity('event_interests')
@Unique('event_interests_name_key', ['nameKey'])
@Unique('event_interests_slug_key', ['slug'])
export class EventInterest {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'event_interests_pkey' })
  id!: string;

  @Column('text')
  name!: string;

  /** The name in lower case: unique, and what the list is sorted by, whatever the locale of the database. */
  @Column('text', { name: 'name_key' })
  nameKey!: string;

  @Column('text')
  slug!: string;

  @Column('text')
  description!: string;

  @Column('boolean', { name: 'is_active', default: true })
  isActive!: boolean;
}
