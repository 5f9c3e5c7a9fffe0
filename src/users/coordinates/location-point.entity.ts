import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

/** One point of the trail of a user: one for each moment. */
@Entity('location_points')
@Check(
  'location_points_bounds_check',
  `latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND accuracy_m BETWEEN 0 AND 100000`,
)
@Index('location_points_recorded_at_idx', ['recordedAt'])
export class LocationPoint {
  @PrimaryColumn('uuid', { name: 'user_id', primaryKeyConstraintName: 'location_points_pkey' })
  userId!: string;

  // With the profile goes the trail, even where a version that knows of none erases the user. By name: users import
  // coordinates, not the other way round.
  @ManyToOne('UserProfile', { onDelete: 'CASCADE' })
  @JoinColumn({
    name: 'user_id',
    referencedColumnName: 'userId',
    foreignKeyConstraintName: 'location_points_user_id_fkey',
  })
  profile?: unknown;

  @PrimaryColumn('timestamptz', { name: 'recorded_at', primaryKeyConstraintName: 'location_points_pkey' })
  recordedAt!: Date;

  @Column('double precision')
  latitude!: number;

  @Column('double precision')
  longitude!: number;

  @Column('double precision', { name: 'accuracy_m', nullable: true })
  accuracyM!: number | null;
}
