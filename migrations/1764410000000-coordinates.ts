import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The trail of coordinates of each user, and bounds of those on the profile. What searches users nearby needs an
 * extension that a role may lack the right to create: it is made at the end of each `latchkey migrate` instead.
 */
export class Coordinates1764410000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE location_points (
        user_id uuid NOT NULL,
        recorded_at timestamptz NOT NULL,
        latitude double precision NOT NULL,
        longitude double precision NOT NULL,
        accuracy_m double precision,
        CONSTRAINT location_points_pkey PRIMARY KEY (user_id, recorded_at),
        CONSTRAINT location_points_user_id_fkey
          FOREIGN KEY (user_id) REFERENCES user_profiles (user_id) ON DELETE CASCADE,
        CONSTRAINT location_points_bounds_check CHECK (
          latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND accuracy_m BETWEEN 0 AND 100000)
      )`);
    await runner.query('CREATE INDEX location_points_recorded_at_idx ON location_points (recorded_at)');
    await runner.query(`
      ALTER TABLE user_profiles ADD CONSTRAINT user_profiles_bounds_check CHECK (
        latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND accuracy_m BETWEEN 0 AND 100000)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS user_profiles_place_idx');
    await runner.query('ALTER TABLE user_profiles DROP CONSTRAINT user_profiles_bounds_check');
    await runner.query('DROP TABLE location_points');
  }
}
