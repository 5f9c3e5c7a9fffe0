import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';

/** A picture of a user: the row is the last step of an upload, and the first of a deletion. */
@Entity('profile_pictures')
@Unique('profile_pictures_storage_key_key', ['storageKey'])
@Unique('profile_pictures_user_id_position_key', ['userId', 'position'], { deferrable: 'INITIALLY DEFERRED' })
@Check('profile_pictures_position_check', `position BETWEEN 0 AND 5`)
@Check('profile_pictures_size_check', `width > 0 AND height > 0`)
export class ProfilePicture {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'profile_pictures_pkey' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  // By name: users import pictures, not the other way round.
  @ManyToOne('User', { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'profile_pictures_user_id_fkey' })
  user?: unknown;

  /** From 0, without gaps. */
  @Column('smallint')
  position!: number;

  /** The objects are `<key>.webp` and `<key>-thumbnail.webp`. */
  @Column('text', { name: 'storage_key' })
  storageKey!: string;

  @Column('integer')
  width!: number;

  @Column('integer')
  height!: number;

  /** base64url. */
  @Column('text')
  thumbhash!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
