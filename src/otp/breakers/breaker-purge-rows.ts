import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import { parseScope, type Scope } from './breaker-scope.js';

const overdue = statement<{ scope: string; opened_at: Date }>(
  'breaker_find_overdue',
  // Its breaker was opened before its time was over: the index of those in force has it.
  `SELECT scope, opened_at FROM sms_breakers
   WHERE opened_at IS NOT NULL AND open_until <= $1 AND changed_at <= $1
   ORDER BY changed_at LIMIT $2`,
);

/** Open breakers whose time is over. */
export async function findOverdueBreakers(
  manager: EntityManager,
  now: Date,
  limit: number,
): Promise<{ scope: Scope; openedAt: Date }[]> {
  const rows = await overdue(manager, [now, limit]);
  return rows.flatMap(({ scope: name, opened_at: openedAt }) => {
    const scope = parseScope(name);
    return scope ? [{ scope, openedAt }] : [];
  });
}

const purge = statement<{ deleted: number }>(
  'breaker_purge',
  `WITH purged AS (
     DELETE FROM sms_breakers
     WHERE scope = ANY (ARRAY(
       SELECT scope FROM sms_breakers WHERE changed_at < $1 AND opened_at IS NULL AND mode = 'auto'
       LIMIT $2 FOR UPDATE SKIP LOCKED
     ))
     RETURNING scope
   )
   SELECT count(*)::integer AS deleted FROM purged`,
);

/** Deletes up to `limit` breakers that have been closed since before a time. @returns how many there were. */
export async function purgeBreakers(
  manager: EntityManager,
  changedBefore: Date,
  limit: number,
): Promise<number> {
  const [row] = await purge(manager, [changedBefore, limit]);
  return row?.deleted ?? 0;
}
