import type { EntityManager } from 'typeorm';

import { purgeStatement } from '../../platform/database/purge-statement.js';
import { statement } from '../../platform/database/statement.js';
import type { Coordinates } from './coordinates.js';

// Every statement on `location_points`, and those on the coordinates of `user_profiles`.

const IS_NEWEST = '(located_at IS NULL OR located_at <= $5)';

// The update takes the profile's lock, late point or not, and waits for whoever has it: of points that arrive at once,
// on whatever replica, each is compared with what the one before it has left; none slips into a trail that is being
// cleared or erased. It touches neither `version` nor `updated_at`: a phone that moves is no edit of the profile.
const record = statement<{ user_id: string }>(
  'coordinates_record',
  `WITH profile AS (
     UPDATE user_profiles SET
       latitude = CASE WHEN ${IS_NEWEST} THEN $2 ELSE latitude END,
       longitude = CASE WHEN ${IS_NEWEST} THEN $3 ELSE longitude END,
       accuracy_m = CASE WHEN ${IS_NEWEST} THEN $4 ELSE accuracy_m END,
       located_at = CASE WHEN ${IS_NEWEST} THEN $5 ELSE located_at END
     WHERE user_id = $1
     RETURNING user_id
   ), kept AS (
     INSERT INTO location_points (user_id, latitude, longitude, accuracy_m, recorded_at)
     SELECT user_id, $2, $3, $4, $5 FROM profile WHERE $5 >= $6::timestamptz
     ON CONFLICT (user_id, recorded_at) DO UPDATE SET
       latitude = excluded.latitude, longitude = excluded.longitude, accuracy_m = excluded.accuracy_m
   )
   SELECT user_id FROM profile`,
);

/**
 * Puts a point into the trail, unless it is older than `keptSince`, and on the profile, unless a newer one is there.
 * One of the same moment takes the place of the one before.
 *
 * @returns false where there is no such user.
 */
export async function recordCoordinates(
  manager: EntityManager,
  userId: string,
  { latitude, longitude, accuracyM, recordedAt }: Coordinates,
  keptSince: Date | 'infinity',
): Promise<boolean> {
  return (await record(manager, [userId, latitude, longitude, accuracyM, recordedAt, keptSince])).length > 0;
}

const clearProfile = statement<{ user_id: string }>(
  'coordinates_clear',
  `UPDATE user_profiles SET latitude = NULL, longitude = NULL, accuracy_m = NULL, located_at = NULL
   WHERE user_id = $1 RETURNING user_id`,
);

/** Takes the point off the profile, and its lock. @returns false where there is no such user. */
export async function clearCoordinates(transaction: EntityManager, userId: string): Promise<boolean> {
  return (await clearProfile(transaction, [userId])).length > 0;
}

const erase = statement<never>('location_points_erase', 'DELETE FROM location_points WHERE user_id = $1');

/** Deletes a trail. Under the lock of the profile nothing of it is left: each point takes that lock first. */
export async function eraseTrail(transaction: EntityManager, userId: string): Promise<void> {
  await erase(transaction, [userId]);
}

interface PointRow {
  recorded_at: Date;
  latitude: number;
  longitude: number;
  accuracy_m: number | null;
}

const list = statement<PointRow>(
  'location_points_list',
  `SELECT recorded_at, latitude, longitude, accuracy_m FROM location_points
   WHERE user_id = $1 AND recorded_at < coalesce($3::timestamptz, 'infinity')
   ORDER BY recorded_at DESC LIMIT $2`,
);

/** The trail of a user, newest first; with `before`, only what is older. */
export async function listTrail(
  manager: EntityManager,
  userId: string,
  { limit, before }: { limit: number; before?: Date | undefined },
): Promise<Coordinates[]> {
  const rows = await list(manager, [userId, limit, before]);
  return rows.map((row) => ({
    latitude: row.latitude,
    longitude: row.longitude,
    accuracyM: row.accuracy_m,
    recordedAt: row.recorded_at,
  }));
}

const purge = purgeStatement('location_points_purge', {
  table: 'location_points',
  key: 'ctid',
  which: 'recorded_at < $2 ORDER BY recorded_at',
});

/** Deletes the points that are older than `keptSince`, the oldest first. @returns how many there were. */
export function purgeTrails(manager: EntityManager, keptSince: Date | 'infinity'): Promise<number> {
  return purge(manager, [keptSince]);
}
