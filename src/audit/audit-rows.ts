import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { statement } from '../platform/database/statement.js';
import type { Act } from './act.js';
import type { AuditAction } from './audit-action.js';
import type { AuditEntry, AuditObjectType } from './audit-entry.entity.js';

// Every statement on `audit_log`.

const insert = statement<never>(
  'audit_insert',
  `INSERT INTO audit_log (id, at, actor_id, action, object_type, object_id, ip, user_agent, request_id, payload)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
);

export async function insertEntry(manager: EntityManager, act: Act, at: Date): Promise<void> {
  const { actorId, action, object, client, payload = {} } = act;
  await insert(manager, [
    uuidv7({ msecs: at.getTime() }),
    at,
    actorId,
    action,
    object.type,
    object.id,
    client?.ip,
    client?.userAgent,
    client?.requestId,
    JSON.stringify(payload),
  ]);
}

interface EntryRow {
  id: string;
  at: Date;
  actor_id: string | null;
  action: AuditAction;
  object_type: AuditObjectType;
  object_id: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  payload: Record<string, unknown>;
}

// Each half reads its own index from the newest entry down, and no further than the page.
const half = (column: string) => `
  (SELECT id FROM audit_log WHERE ${column} = $1 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $2)`;

const list = statement<EntryRow>(
  'audit_list_of_user',
  `SELECT id, at, actor_id, action, object_type, object_id, ip, user_agent, request_id, payload
   FROM audit_log
   WHERE id IN (SELECT id FROM (${half('actor_id')} UNION ${half('object_id')}) AS both_halves
                ORDER BY id DESC LIMIT $2)
   ORDER BY id DESC`,
);

/** What a user did and what was done to them, newest first. */
export async function listEntriesOf(
  manager: EntityManager,
  userId: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<AuditEntry[]> {
  const rows = await list(manager, [userId, limit, after]);
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    actorId: row.actor_id,
    action: row.action,
    objectType: row.object_type,
    objectId: row.object_id,
    ip: row.ip,
    userAgent: row.user_agent,
    requestId: row.request_id,
    payload: row.payload,
  }));
}

/** The trigger lets this one change through, and only where it is asked for by name. */
export async function eraseClientsOf(transaction: EntityManager, userId: string): Promise<void> {
  await transaction.query(`SET LOCAL latchkey.audit_erasure = 'on'`);
  await transaction.query(
    // Who repeated a refresh is not known: the entry is about the user, and the address more likely theirs than not.
    `UPDATE audit_log SET ip = NULL, user_agent = NULL
     WHERE (actor_id = $1 OR (object_id = $1 AND actor_id IS NULL)) AND (ip IS NOT NULL OR user_agent IS NOT NULL)`,
    [userId],
  );
  await transaction.query(`SET LOCAL latchkey.audit_erasure = 'off'`);
}
