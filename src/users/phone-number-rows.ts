import type { EntityManager } from 'typeorm';

import { isUniqueViolation } from '../platform/database/database-errors.js';
import { statement } from '../platform/database/statement.js';

// The statements on `users.phone_number`: who has a number, and its changes.

const findOwner = statement<{ id: string }>(
  'user_find_by_number',
  'SELECT id FROM users WHERE phone_number = $1',
);

/** The user of a number, suspended or not. */
export async function ownerOfNumber(
  manager: EntityManager,
  phoneNumber: string,
): Promise<string | undefined> {
  const [row] = await findOwner(manager, [phoneNumber]);
  return row?.id;
}

const RECENT = 'ARRAY(SELECT at FROM unnest(phone_changes_asked_at) AS at WHERE at > $4)';

// Requests of one user at once queue for the row, and each judges what the one before it has left.
const count = statement<{ id: string }>(
  'phone_change_count',
  `UPDATE users SET phone_changes_asked_at = ${RECENT} || $3::timestamptz
   WHERE id = $1 AND phone_number <> $2 AND cardinality(${RECENT}) < $5
   RETURNING id`,
);

/** @returns false where the user has this number, or has asked `max` times `since` then. */
export async function countPhoneChange(
  manager: EntityManager,
  { userId, phoneNumber, now, since, max }: PhoneChangeToCount,
): Promise<boolean> {
  return (await count(manager, [userId, phoneNumber, now, since, max])).length > 0;
}

interface PhoneChangeToCount {
  userId: string;
  phoneNumber: string;
  now: Date;
  since: Date;
  max: number;
}

const uncount = statement<never>(
  'phone_change_uncount',
  `UPDATE users SET phone_changes_asked_at =
     phone_changes_asked_at[:array_position(phone_changes_asked_at, $2) - 1]
     || phone_changes_asked_at[array_position(phone_changes_asked_at, $2) + 1:]
   WHERE id = $1 AND $2 = ANY (phone_changes_asked_at)`,
);

/** Takes one of that time off the count. */
export async function uncountPhoneChange(manager: EntityManager, userId: string, at: Date): Promise<void> {
  await uncount(manager, [userId, at]);
}

const read = statement<{ phone_number: string; phone_changes_asked_at: Date[] }>(
  'phone_change_read',
  'SELECT phone_number, phone_changes_asked_at FROM users WHERE id = $1 AND phone_number IS NOT NULL',
);

/** @returns nothing where there is no such user, or no longer. */
export async function readPhoneChanges(
  manager: EntityManager,
  userId: string,
): Promise<{ phoneNumber: string; askedAt: Date[] } | undefined> {
  const [row] = await read(manager, [userId]);
  return row && { phoneNumber: row.phone_number, askedAt: row.phone_changes_asked_at };
}

// FOR UPDATE at once: a weaker lock would have to grow for the change of a key, and two such can wait for each other.
const lock = statement<{ phone_number: string }>(
  'user_lock_number',
  'SELECT phone_number FROM users WHERE id = $1 AND phone_number IS NOT NULL FOR UPDATE',
);

/**
 * Makes sign-ins and changes of the number of this user wait for the end of the transaction.
 *
 * @returns the number; nothing where there is no such user, or no longer.
 */
export async function lockPhoneNumber(
  transaction: EntityManager,
  userId: string,
): Promise<string | undefined> {
  const [row] = await lock(transaction, [userId]);
  return row?.phone_number;
}

const move = statement<{ id: string }>(
  'user_move_number',
  `UPDATE users SET phone_number = $2
   WHERE id = $1 AND NOT EXISTS (SELECT FROM users WHERE phone_number = $2)
   RETURNING id`,
);

/** Gives the user another number. @returns false where it belongs to somebody already. */
export async function movePhoneNumber(
  transaction: EntityManager,
  userId: string,
  phoneNumber: string,
): Promise<boolean> {
  try {
    // Whoever takes the number at the same moment is not seen yet: then the unique index decides, within a savepoint,
    // as the transaction goes on.
    const rows = await transaction.transaction((savepoint) => move(savepoint, [userId, phoneNumber]));
    return rows.length > 0;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return false;
  }
}
