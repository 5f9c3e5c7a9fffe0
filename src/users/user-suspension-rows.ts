import type { EntityManager } from 'typeorm';

import { statement } from '../platform/database/statement.js';
import type { UserStatus } from './user.entity.js';

// The statements on suspensions.

export interface Suspension {
  /** For staff; 1 to 500 characters. */
  reason: string;
  /** Since when. */
  at: Date;
  /** The administrator. */
  by: string | null;
}

export interface Standing {
  status: UserStatus;
  /** Null as well where the user was suspended past the API. */
  suspension: Suspension | null;
}

interface StandingRow {
  id: string;
  status: UserStatus;
  suspended_at: Date | null;
  suspended_by: string | null;
  suspension_reason: string | null;
}

// In the order of the ids, so that two administrators who suspend each other at once do not wait for each other. The
// weakest lock that a sign-in, which writes to its user, waits for: what merely refers to the user goes on.
const lock = statement<StandingRow>(
  'user_lock_standings',
  `SELECT id, status, suspended_at, suspended_by, suspension_reason FROM users
   WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE`,
);

export async function lockStandings(
  transaction: EntityManager,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  const rows = await lock(transaction, [userIds]);
  return new Map(rows.map((row) => [row.id, { status: row.status, suspension: toSuspension(row) }]));
}

const suspend = statement<never>(
  'user_suspend',
  `UPDATE users SET status = 'suspended', suspension_reason = $2, suspended_at = $3, suspended_by = $4 WHERE id = $1`,
);

export async function writeSuspension(
  transaction: EntityManager,
  userId: string,
  { reason, at, by }: Suspension,
): Promise<void> {
  await suspend(transaction, [userId, reason, at, by]);
}

const lift = statement<never>(
  'user_lift_suspension',
  `UPDATE users SET status = 'active', suspension_reason = NULL, suspended_at = NULL, suspended_by = NULL WHERE id = $1`,
);

export async function liftSuspension(transaction: EntityManager, userId: string): Promise<void> {
  await lift(transaction, [userId]);
}

function toSuspension(row: StandingRow): Suspension | null {
  const { suspension_reason: reason, suspended_at: at, suspended_by: by } = row;
  return reason === null || at === null ? null : { reason, at, by };
}
