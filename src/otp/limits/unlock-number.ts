import type { EntityManager } from 'typeorm';

import { insertEntry } from '../../audit/audit-rows.js';
import type { AppKeys } from '../../platform/config/app-keys.js';
import { LimitKeys } from './limit-keys.js';
import { forgetPhone } from './phone-limit-rows.js';

/**
 * Forgets what was counted for a number: its next code has the configured length, and nothing to wait for. Its pending
 * codes stay.
 *
 * @param userId of the account of the number, if there is one.
 * @returns how many failed guesses and sends were forgotten.
 */
export async function unlockNumber(
  manager: EntityManager,
  {
    phoneNumber,
    userId,
    keys,
    now,
  }: { phoneNumber: string; userId: string | undefined; keys: AppKeys; now: Date },
): Promise<{ failures: number; sends: number }> {
  return manager.transaction(async (transaction) => {
    const forgotten = await forgetPhone(transaction, new LimitKeys(keys).ofPhone(phoneNumber));
    const object = { type: 'user' as const, id: userId ?? null };
    await insertEntry(transaction, { action: 'number_unlocked', object, payload: { ...forgotten } }, now);
    return forgotten;
  });
}
