import type { EntityManager } from 'typeorm';

import { databaseErrorCode } from '../platform/database/database-errors.js';
import { inBatches } from '../platform/database/in-batches.js';
import { OperatorError } from '../platform/operator-error.js';
import { firstIdAt } from '../platform/database/first-id-at.js';

const CLOCKS_DIFFER_MS = 60 * 60 * 1000;
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Deletes what is older than `before`, in batches: the only way out of the audit log, and the owner's of its table.
 *
 * @returns how many entries it deleted.
 */
export function pruneAuditLog(manager: EntityManager, before: Date): Promise<number> {
  return inBatches((limit) =>
    manager.transaction((transaction) => pruneBatch(transaction, before, limit)).catch(explain),
  );
}

async function pruneBatch(transaction: EntityManager, before: Date, limit: number): Promise<number> {
  await transaction.query(`SELECT set_config('latchkey.audit_retention', 'on', true)`);
  // Ids are in the order of time, but for clocks that differ: the scan ends soon after the last that is old enough.
  const [, count]: [unknown, number] = await transaction.query(
    `DELETE FROM audit_log
     WHERE id IN (SELECT id FROM audit_log WHERE at < $1 AND id < $3 ORDER BY id LIMIT $2)`,
    [before, limit, firstIdAt(new Date(before.getTime() + CLOCKS_DIFFER_MS))],
  );
  return count;
}

function explain(error: unknown): never {
  if (databaseErrorCode(error) !== INSUFFICIENT_PRIVILEGE) throw error;
  throw new OperatorError(
    'Only the owner of the table may prune the audit log: set DATABASE_MIGRATION_URL to its role.',
  );
}
