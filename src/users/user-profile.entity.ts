import { Check, Column, Entity, Index, JoinColumn, OneToOne, PrimaryColumn } from 'typeorm';

import { User } from './user.entity.js';

export type Gender = 'male' | 'female' | 'other' | 'prefer_not_to_say';

/** What a user tells of themselves: one row a user, from the first sign-in on. */
@Entity('user_profiles')
@Index('user_profiles_name_key_idx', ['nameKey', 'userId'], { where: 'name_key IS NOT NULL' })
@Check('user_profiles_gender_check', `gender IN ('male', 'female', 'other', 'prefer_not_to_say')`)
@Check(
  'user_profiles_completed_check',
  `completed_at IS NULL OR (name IS NOT NULL AND birth_date IS NOT NULL AND gender IS NOT NULL)`,
)
@Check(
  'user_profiles_coordinates_check',
  `(latitude IS NULL) = (longitude IS NULL) AND (latitude IS NULL) = (located_at IS NULL)`,
)
@Check(
  'user_profiles_bounds_check',
  `latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND accuracy_m BETWEEN 0 AND 100000`,
)
@Index('user_profiles_place_idx', { synchronize: false })
export class UserProfile {
  @PrimaryColumn('uuid', { name: 'user_id', primaryKeyConstraintName: 'user_profiles_pkey' })
  userId!: string;

  @OneToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'user_profiles_user_id_fkey' })
  user?: User;

  @Column('text', { nullable: true })
  name!: string | null;

  /** What the name is found by: that of `nameKeyOf`. */
  @Column({ type: 'text', name: 'name_key', nullable: true, collation: 'C' })
  nameKey!: string | null;

  @Column('text', { nullable: true })
  bio!: string | null;

  @Column('text', { nullable: true })
  location!: string | null;

  /** YYYY-MM-DD. */
  @Column('date', { name: 'birth_date', nullable: true })
  birthDate!: string | null;

  @Column('text', { nullable: true })
  gender!: Gender | null;

  @Column('timestamptz', { name: 'completed_at', nullable: true })
  completedAt!: Date | null;

  /** The number has been confirmed by a code. */
  @Column('boolean', { name: 'is_verified', default: false })
  isVerified!: boolean;

  @Column('double precision', { nullable: true })
  latitude!: number | null;

  @Column('double precision', { nullable: true })
  longitude!: number | null;

  @Column('double precision', { name: 'accuracy_m', nullable: true })
  accuracyM!: number | null;

  @Column('timestamptz', { name: 'located_at', nullable: true })
  locatedAt!: Date | null;

  /** Grows with every change but that of the coordinates. */
  @Column('integer', { default: 1 })
  version!: number;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
