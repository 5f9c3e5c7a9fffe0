import type { EntityManager } from 'typeorm';

import { insertEntry } from '../../audit/audit-rows.js';
import { inTransaction } from '../../platform/database/statement.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import { uncounted } from './breaker-rows.js';
import type { Scope } from './breaker-scope.js';
import type { BreakerMode } from './sms-breaker.entity.js';

/** What an administrator may say of a breaker; `auto` leaves it to the rules. */
export const FORCED_STATES = ['open', 'closed', 'auto'] as const;
export type ForcedState = (typeof FORCED_STATES)[number];

export interface BreakerSet {
  mode: BreakerMode;
  state: 'open' | 'closed';
}

/**
 * Holds a breaker open or closed until it is `auto` again. What was sent until then is never held against a scope that
 * an administrator has closed or released. To `auto`, one that its rules have opened stays open.
 *
 * @param by.actorId absent for the command line.
 * @returns what was and what is; nothing where nothing changes.
 */
export async function setBreaker(
  manager: EntityManager,
  { name }: Scope,
  state: ForcedState,
  { now, actorId, client }: { now: Date; actorId?: string; client?: ClientInfo },
): Promise<{ before: BreakerSet; after: BreakerSet } | undefined> {
  return inTransaction(manager, async (transaction) => {
    if (state !== 'auto') await makeRow(transaction, name, now);
    const before = await lock(transaction, name);
    if (!before || before.mode === state) return undefined;
    const after: BreakerSet = { mode: state, state: state === 'open' ? 'open' : 'closed' };
    await transaction.query(
      `UPDATE sms_breakers SET mode = $2, open_until = NULL, changed_at = $3,
         opened_at = CASE WHEN $2 = 'open' THEN coalesce(opened_at, $3) END,
         reason = CASE WHEN $2 = 'open' THEN $4 ELSE reason END,
         counts_from = CASE WHEN $2 = 'open' THEN counts_from ELSE $3 END
       WHERE scope = $1`,
      [name, state, now, JSON.stringify(uncounted('administrator'))],
    );
    await insertEntry(
      transaction,
      {
        action: 'sms_breaker_set',
        actorId,
        object: { type: 'sms_breaker', id: null },
        client,
        payload: { scope: name, before, after },
      },
      now,
    );
    return { before, after };
  });
}

/** So that of two administrators at once the second waits for the first. */
async function makeRow(transaction: EntityManager, name: string, now: Date): Promise<void> {
  await transaction.query(
    'INSERT INTO sms_breakers (scope, changed_at) VALUES ($1, $2) ON CONFLICT (scope) DO NOTHING',
    [name, now],
  );
}

async function lock(transaction: EntityManager, name: string): Promise<BreakerSet | undefined> {
  const [row]: { mode: BreakerMode; is_open: boolean }[] = await transaction.query(
    'SELECT mode, opened_at IS NOT NULL AS is_open FROM sms_breakers WHERE scope = $1 FOR UPDATE',
    [name],
  );
  return row && { mode: row.mode, state: row.is_open ? 'open' : 'closed' };
}
