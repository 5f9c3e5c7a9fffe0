import type { EntityManager } from 'typeorm';

import { insertEntry } from '../audit/audit-rows.js';
import { OperatorError } from '../platform/operator-error.js';
import { maskPhoneNumber } from '../platform/phone-number.js';

// Who holds the role `admin`. Only the command line grants and takes it: no request can, whoever sends it.

/**
 * Grants the role. It is in force in sessions opened from now on with a code of 8 digits.
 *
 * @returns false where the user holds it already.
 * @throws {OperatorError} where no account that may sign in has the number, or a test account has it.
 */
export async function grantAdmin(manager: EntityManager, phoneNumber: string, now: Date): Promise<boolean> {
  return manager.transaction(async (transaction) => {
    const user = await requireUser(transaction, phoneNumber);
    if (user.status !== 'active') throw new OperatorError('The account of that number is suspended.');
    if (user.is_test)
      throw new OperatorError('That is a test account (OTP_TEST_NUMBERS): it holds no roles.');
    if (user.is_admin) return false;
    await transaction.query(`UPDATE users SET roles = array_append(roles, 'admin') WHERE id = $1`, [user.id]);
    await recordRole(transaction, 'role_granted', user.id, now);
    return true;
  });
}

/**
 * Takes the role, from every session within 5 seconds.
 *
 * @param options.last also from the only one who holds it.
 * @returns false where the user does not hold it.
 * @throws {OperatorError} where no account has the number, or nobody else would be left.
 */
export async function revokeAdmin(
  manager: EntityManager,
  phoneNumber: string,
  { now, last }: { now: Date; last: boolean },
): Promise<boolean> {
  return manager.transaction(async (transaction) => {
    // Of two administrators who take the role from each other at once, the second waits here, and finds itself the last.
    const holders: { id: string; status: string }[] = await transaction.query(
      `SELECT id, status FROM users WHERE 'admin' = ANY (roles) ORDER BY id FOR UPDATE`,
    );
    const user = await requireUser(transaction, phoneNumber);
    if (!user.is_admin) return false;
    // Whoever is suspended administers nothing.
    if (!last && holders.every(({ id, status }) => id === user.id || status !== 'active')) {
      throw new OperatorError(
        'Nobody else is an administrator: grant the role to somebody first, or say --last.',
      );
    }
    await transaction.query(`UPDATE users SET roles = array_remove(roles, 'admin') WHERE id = $1`, [user.id]);
    await recordRole(transaction, 'role_revoked', user.id, now);
    return true;
  });
}

/** Who holds the role, the longest-standing user first; numbers are masked. */
export async function listAdmins(
  manager: EntityManager,
): Promise<{ userId: string; phoneNumber: string; status: string }[]> {
  const rows: { id: string; phone_number: string | null; status: string }[] = await manager.query(
    `SELECT id, phone_number, status FROM users WHERE 'admin' = ANY (roles) ORDER BY id`,
  );
  return rows.map(({ id, phone_number: phoneNumber, status }) => ({
    userId: id,
    phoneNumber: maskPhoneNumber(phoneNumber ?? ''),
    status,
  }));
}

interface UserToGrant {
  id: string;
  status: string;
  is_admin: boolean;
  is_test: boolean;
}

async function requireUser(transaction: EntityManager, phoneNumber: string): Promise<UserToGrant> {
  const [user]: UserToGrant[] = await transaction.query(
    `SELECT id, status, is_test, 'admin' = ANY (roles) AS is_admin FROM users WHERE phone_number = $1 FOR UPDATE`,
    [phoneNumber],
  );
  if (!user) {
    throw new OperatorError('No account has that number: sign in with it once, then grant the role.');
  }
  return user;
}

async function recordRole(
  transaction: EntityManager,
  action: 'role_granted' | 'role_revoked',
  userId: string,
  now: Date,
): Promise<void> {
  const object = { type: 'user' as const, id: userId };
  await insertEntry(transaction, { action, object, payload: { role: 'admin' } }, now);
}
