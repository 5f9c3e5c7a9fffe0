import type { EntityManager } from 'typeorm';

import { type ChosenInterest, interestsOf } from '../interests/interests-of-user.js';
import { type PictureRow, picturesOf, toPicture } from '../pictures/pictures-of-user.js';
import { statement } from '../platform/database/statement.js';
import { nameKeyOf } from './name-key.js';
import type { Profile, ProfileChanges } from './profile.js';
import type { Gender } from './user-profile.entity.js';
import type { UserStatus } from './user.entity.js';

// The hot statements on `users` and `user_profiles`.

interface ProfileRow {
  id: string;
  phone_number: string;
  created_at: Date;
  name: string | null;
  bio: string | null;
  location: string | null;
  birth_date: string | null;
  gender: Gender | null;
  latitude: number | null;
  longitude: number | null;
  accuracy_m: number | null;
  located_at: Date | null;
  is_verified: boolean | null;
  completed_at: Date | null;
  version: number | null;
  updated_at: Date | null;
  interests: ChosenInterest[];
  pictures: PictureRow[];
}

// birth_date as text: `pg` would make it midnight of this process's time zone.
const PROFILE_COLUMNS = `u.id, u.phone_number, u.created_at, p.name, p.bio, p.location,
  to_char(p.birth_date, 'YYYY-MM-DD') AS birth_date, p.gender, p.latitude, p.longitude, p.accuracy_m, p.located_at,
  p.is_verified, p.completed_at, p.version, p.updated_at, ${interestsOf('u')} AS interests,
  ${picturesOf('u')} AS pictures`;

const read = statement<ProfileRow>(
  'profile_read',
  `SELECT ${PROFILE_COLUMNS} FROM users u JOIN user_profiles p ON p.user_id = u.id
   WHERE u.id = $1 AND u.phone_number IS NOT NULL`,
);

export async function readProfile(manager: EntityManager, userId: string): Promise<Profile | undefined> {
  const [row] = await read(manager, [userId]);
  return row && toProfile(row);
}

const readMany = statement<ProfileRow>(
  'profiles_read',
  `SELECT ${PROFILE_COLUMNS} FROM users u JOIN user_profiles p ON p.user_id = u.id
   WHERE u.id = ANY ($1::uuid[]) AND u.phone_number IS NOT NULL`,
);

/** Those that are there, in any order. */
export async function readProfiles(manager: EntityManager, userIds: readonly string[]): Promise<Profile[]> {
  return (await readMany(manager, [userIds])).map(toProfile);
}

const readPublic = statement<ProfileRow>(
  'profiles_read_public',
  `SELECT ${PROFILE_COLUMNS} FROM users u JOIN user_profiles p ON p.user_id = u.id
   WHERE u.id = ANY ($1::uuid[]) AND u.status = 'active' AND p.completed_at IS NOT NULL`,
);

/** Those that others may see, in any order: completed, and neither suspended nor deleted. */
export async function readVisibleProfiles(
  manager: EntityManager,
  userIds: readonly string[],
): Promise<Profile[]> {
  return (await readPublic(manager, [userIds])).map(toProfile);
}

// One statement finds or makes user and profile, so that two first sign-ins at once make one user. A profile made
// by this very statement cannot be read by it: its columns come back null, and the defaults stand in toProfile.
const signIn = statement<ProfileRow & { status: UserStatus; roles: string[]; is_test: boolean }>(
  'user_sign_in',
  `WITH u AS (
     INSERT INTO users (id, phone_number, created_at, last_sign_in_at, is_test) VALUES ($1, $2, $3, $3, $4)
     ON CONFLICT (phone_number) DO UPDATE SET last_sign_in_at =
       CASE WHEN users.status = 'active' AND users.is_test = excluded.is_test
            THEN excluded.last_sign_in_at ELSE users.last_sign_in_at END
     RETURNING id, phone_number, created_at, status, roles, is_test
   ), made AS (
     INSERT INTO user_profiles (user_id, is_verified, updated_at) SELECT id, true, $3 FROM u WHERE id = $1
   )
   SELECT ${PROFILE_COLUMNS}, u.status, u.roles, u.is_test FROM u LEFT JOIN user_profiles p ON p.user_id = u.id`,
);

export interface SignedInUser {
  profile: Profile;
  status: UserStatus;
  roles: readonly string[];
  isNew: boolean;
  /** Whether it is a test account, however it was signed in to. */
  isTest: boolean;
}

/** Finds the user of a number, or makes one under `newId`: a test account, if a fixed code proved the number. */
export async function signInUser(
  manager: EntityManager,
  { newId, phoneNumber, isTest, now }: { newId: string; phoneNumber: string; isTest: boolean; now: Date },
): Promise<SignedInUser> {
  const [row] = await signIn(manager, [newId, phoneNumber, now, isTest]);
  if (!row) throw new Error('an upsert returns its row');
  const { status, roles, is_test } = row;
  return { profile: toProfile(row), status, roles, isNew: row.id === newId, isTest: is_test };
}

const lock = statement<{ completed_at: Date | null }>(
  'profile_lock',
  'SELECT completed_at FROM user_profiles WHERE user_id = $1 FOR UPDATE',
);

/**
 * Makes whoever else would change this user's profile, pictures or interests wait for the end of the transaction, and
 * what follows see all that came before.
 *
 * @returns nothing where there is no such user.
 */
export async function lockProfile(
  transaction: EntityManager,
  userId: string,
): Promise<{ completedAt: Date | null } | undefined> {
  const [row] = await lock(transaction, [userId]);
  return row && { completedAt: row.completed_at };
}

// What was given is told from what was not by the keys of one JSON object, so that one prepared statement does for
// every choice of fields.
const change = statement<{ version: number }>(
  'profile_change',
  `UPDATE user_profiles SET
     name = CASE WHEN given ? 'name' THEN given ->> 'name' ELSE name END,
     name_key = CASE WHEN given ? 'name' THEN given ->> 'nameKey' ELSE name_key END,
     bio = CASE WHEN given ? 'bio' THEN given ->> 'bio' ELSE bio END,
     location = CASE WHEN given ? 'location' THEN given ->> 'location' ELSE location END,
     birth_date = CASE WHEN given ? 'birthDate' THEN (given ->> 'birthDate')::date ELSE birth_date END,
     gender = CASE WHEN given ? 'gender' THEN given ->> 'gender' ELSE gender END,
     completed_at = coalesce(completed_at, $4),
     version = version + 1,
     updated_at = $3
   FROM (SELECT $2::jsonb AS given) AS input
   WHERE user_id = $1 AND ($5::integer[] IS NULL OR version = ANY ($5))
   RETURNING version`,
);

/** Changes a profile. @returns false where its version is none of those allowed. */
export async function changeProfile(
  manager: EntityManager,
  userId: string,
  changes: ProfileChanges,
  options: { now: Date; completedAt?: Date; versions?: readonly number[] },
): Promise<boolean> {
  const { now, completedAt = null, versions = null } = options;
  const given = { ...changes, nameKey: changes.name === undefined ? undefined : nameKeyOf(changes.name) };
  const rows = await change(manager, [userId, JSON.stringify(given), now, completedAt, versions]);
  return rows.length > 0;
}

function toProfile(row: ProfileRow): Profile {
  const { latitude, longitude, accuracy_m: accuracyM, located_at: recordedAt } = row;
  return {
    userId: row.id,
    phoneNumber: row.phone_number,
    name: row.name,
    bio: row.bio,
    location: row.location,
    birthDate: row.birth_date,
    gender: row.gender,
    interests: row.interests,
    pictures: row.pictures.map(toPicture),
    coordinates:
      latitude === null || longitude === null || recordedAt === null
        ? null
        : { latitude, longitude, accuracyM, recordedAt },
    isVerified: row.is_verified ?? true,
    completedAt: row.completed_at,
    version: row.version ?? 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at ?? row.created_at,
  };
}
