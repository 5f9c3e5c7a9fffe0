import type { EntityManager } from 'typeorm';

import { databaseErrorCode } from '../platform/database/database-errors.js';
import { OperatorError } from '../platform/operator-error.js';

const BATCH = 10_000;
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Deletes what is older than `before`, in batches: the only way out of the audit log, and the owner's of its table.
 *
 * @returns how many entries it deleted.
 */
export async function pruneAuditLog(manager: EntityManager, before: Date): Promise<number> {
  let pruned = 0;
  for (let batch = BATCH; batch === BATCH; pruned += batch) {
    batch = await manager.transaction((transaction) => pruneBatch(transaction, before)).catch(explain);
  }
  return pruned;
}

async function pruneBatch(transaction: EntityManager, before: Date): Promise<number> {
  await transaction.query(`SELECT set_config('latchkey.audit_retention', 'on', true)`);
  // Ids are in the order of time.
  const [, count]: [unknown, number] = await transaction.query(
    `DELETE FROM audit_log
     WHERE id IN (SELECT id FROM audit_log WHERE at < $1 ORDER BY id LIMIT ${BATCH})`,
    [before],
  );
  return count;
}

function explain(error: unknown): never {
  if (databaseErrorCode(error) !== INSUFFICIENT_PRIVILEGE) throw error;
  throw new OperatorError(
    'Only the owner of the table may prune the audit log: set DATABASE_MIGRATION_URL to its role.',
  );
}
