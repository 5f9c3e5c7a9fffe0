import type { EntityManager } from 'typeorm';
import { MAX, NIL } from 'uuid';

import type { UserStatus } from './user.entity.js';

// The statements that find users for administrators. None is prepared: planned for its values, each reads the index of
// what is given, a partial one too.

/** A user as lists of users show them. */
export interface FoundUser {
  userId: string;
  /** E.164; null once deleted. */
  phoneNumber: string | null;
  status: UserStatus;
  roles: readonly string[];
  name: string | null;
  /** What lists by name are sorted by. */
  nameKey: string | null;
  isProfileCompleted: boolean;
  createdAt: Date;
  lastSignInAt: Date | null;
}

interface FoundRow {
  id: string;
  phone_number: string | null;
  status: UserStatus;
  roles: string[];
  created_at: Date;
  last_sign_in_at: Date | null;
  name: string | null;
  name_key: string | null;
  is_completed: boolean;
}

const USERS = `
  SELECT u.id, u.phone_number, u.status, u.roles, u.created_at, u.last_sign_in_at, p.name, p.name_key,
         p.completed_at IS NOT NULL AS is_completed
  FROM users u LEFT JOIN user_profiles p ON p.user_id = u.id`;

interface Part {
  /** Of all where it is left out. */
  status: UserStatus | undefined;
  limit: number;
}

/** The user of a number (E.164), or of an id. */
export async function findOne(
  manager: EntityManager,
  column: 'phone_number' | 'id',
  value: string,
  status: UserStatus | undefined,
): Promise<FoundUser[]> {
  const one = `${USERS} WHERE u.${column} = $1 AND ($2::text IS NULL OR u.status = $2)`;
  return toFoundUsers(await manager.query(one, [value, status]));
}

const NEWEST = `${USERS}
  WHERE u.id < $1 AND ($2::text IS NULL OR u.status = $2) ORDER BY u.id DESC LIMIT $3`;

/** Newest first, from the one after that of an id. */
export async function findNewest(
  manager: EntityManager,
  { status, limit }: Part,
  after: string = MAX,
): Promise<FoundUser[]> {
  return toFoundUsers(await manager.query(NEWEST, [after, status, limit]));
}

/** What a list by name is sorted by. */
export interface NamePlace {
  nameKey: string;
  userId: string;
}

const BY_NAME = `${USERS}
  WHERE (p.name_key, p.user_id) > ($1, $2) AND p.name_key < $3 AND ($4::text IS NULL OR u.status = $4)
  ORDER BY p.name_key, p.user_id LIMIT $5`;

/** Those whose name begins so, by name, from the one after a place. */
export async function findByName(
  manager: EntityManager,
  beginning: string,
  { status, limit }: Part,
  after: NamePlace = { nameKey: beginning, userId: NIL },
): Promise<FoundUser[]> {
  // No name holds U+10FFFF, and all that begin alike sort before it.
  const end = `${beginning}\u{10ffff}`;
  return toFoundUsers(await manager.query(BY_NAME, [after.nameKey, after.userId, end, status, limit]));
}

function toFoundUsers(rows: readonly FoundRow[]): FoundUser[] {
  return rows.map((row) => ({
    userId: row.id,
    phoneNumber: row.phone_number,
    status: row.status,
    roles: row.roles,
    name: row.name,
    nameKey: row.name_key,
    isProfileCompleted: row.is_completed,
    createdAt: row.created_at,
    lastSignInAt: row.last_sign_in_at,
  }));
}
