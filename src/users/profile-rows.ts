import type { EntityManager } from 'typeorm';

import { statement } from '../platform/database/statement.js';
import type { Profile } from './profile.js';
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
  updated_at: Date | null;
}

// birth_date as text: `pg` would make it midnight of this process's time zone.
const PROFILE_COLUMNS = `u.id, u.phone_number, u.created_at, p.name, p.bio, p.location,
  to_char(p.birth_date, 'YYYY-MM-DD') AS birth_date, p.gender, p.latitude, p.longitude, p.accuracy_m, p.located_at,
  p.is_verified, p.completed_at, p.updated_at`;

const read = statement<ProfileRow>(
  'profile_read',
  `SELECT ${PROFILE_COLUMNS} FROM users u JOIN user_profiles p ON p.user_id = u.id
   WHERE u.id = $1 AND u.phone_number IS NOT NULL`,
);

export async function readProfile(manager: EntityManager, userId: string): Promise<Profile | undefined> {
  const [row] = await read(manager, [userId]);
  return row && toProfile(row);
}

// One statement finds or makes user and profile, so that two first sign-ins at once make one user. A profile made
// by this very statement cannot be read by it: its columns come back null, and the defaults stand in toProfile.
const signIn = statement<ProfileRow & { status: UserStatus; roles: string[] }>(
  'user_sign_in',
  `WITH u AS (
     INSERT INTO users (id, phone_number, created_at, last_sign_in_at) VALUES ($1, $2, $3, $3)
     ON CONFLICT (phone_number) DO UPDATE SET last_sign_in_at =
       CASE WHEN users.status = 'active' THEN excluded.last_sign_in_at ELSE users.last_sign_in_at END
     RETURNING id, phone_number, created_at, status, roles
   ), made AS (
     INSERT INTO user_profiles (user_id, is_verified, updated_at) SELECT id, true, $3 FROM u WHERE id = $1
   )
   SELECT ${PROFILE_COLUMNS}, u.status, u.roles FROM u LEFT JOIN user_profiles p ON p.user_id = u.id`,
);

export interface SignedInUser {
  profile: Profile;
  status: UserStatus;
  roles: readonly string[];
  isNew: boolean;
}

/** Finds the user of a number, or makes one under `newId`. */
export async function signInUser(
  manager: EntityManager,
  { newId, phoneNumber, now }: { newId: string; phoneNumber: string; now: Date },
): Promise<SignedInUser> {
  const [row] = await signIn(manager, [newId, phoneNumber, now]);
  if (!row) throw new Error('an upsert returns its row');
  return { profile: toProfile(row), status: row.status, roles: row.roles, isNew: row.id === newId };
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
    coordinates:
      latitude === null || longitude === null || recordedAt === null
        ? null
        : { latitude, longitude, accuracyM, recordedAt },
    isVerified: row.is_verified ?? true,
    completedAt: row.completed_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at ?? row.created_at,
  };
}
