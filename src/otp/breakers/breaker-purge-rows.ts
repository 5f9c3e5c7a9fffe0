import type { EntityManager } from 'typeorm';

import { purgeStatement } from '../../platform/database/purge-statement.js';
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

const purge = purgeStatement('breaker_purge', {
  table: 'sms_breakers',
  key: 'scope',
  which: "changed_at < $2 AND opened_at IS NULL AND mode = 'auto'",
});

/** Deletes the breakers that have been closed since before a time. @returns how many there were. */
export function purgeBreakers(manager: EntityManager, changedBefore: Date): Promise<number> {
  return purge(manager, [changedBefore]);
}
