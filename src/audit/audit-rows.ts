import type { EntityManager } from 'typeorm';
import { MAX, NIL, v7 as uuidv7 } from 'uuid';

import { statement } from '../platform/database/statement.js';
import type { Act } from './act.js';
import type { AuditAction } from './audit-action.js';
import type { AuditEntry, AuditObjectType } from './audit-entry.entity.js';
import { firstIdAt } from '../platform/database/first-id-at.js';

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

const COLUMNS = 'id, at, actor_id, action, object_type, object_id, ip, user_agent, request_id, payload';

// Each half reads its own index from the newest entry down, and no further than the page.
const half = (column: string) => `
  (SELECT id FROM audit_log WHERE ${column} = $1 AND id < $3 ORDER BY id DESC LIMIT $2)`;

const list = statement<EntryRow>(
  'audit_list_of_user',
  `SELECT ${COLUMNS} FROM audit_log
   WHERE id IN (SELECT id FROM (${half('actor_id')} UNION ${half('object_id')}) AS both_halves
                ORDER BY id DESC LIMIT $2)
   ORDER BY id DESC`,
);

/** What a user did and what was done to them, newest first. */
export async function listEntriesOf(
  manager: EntityManager,
  userId: string,
  { limit, after = MAX }: { limit: number; after?: string | undefined },
): Promise<AuditEntry[]> {
  return (await list(manager, [userId, limit, after])).map(toEntry);
}

/** All that is given must be so of an entry. */
export interface AuditSearch {
  /** Who acted or was acted on. */
  userId?: string | undefined;
  actorId?: string | undefined;
  action?: AuditAction | undefined;
  /** The first moment. */
  from?: Date | undefined;
  /** The moment after the last. */
  to?: Date | undefined;
}

const matching = (whose: string) => `
  (SELECT id FROM audit_log
   WHERE ${whose} AND id >= $1 AND id < $2
     AND ($3::uuid IS NULL OR actor_id = $3) AND ($4::text IS NULL OR action = $4)
   ORDER BY id DESC LIMIT $5)`;
const search = (ids: string) => `
  SELECT ${COLUMNS} FROM audit_log
  WHERE id IN (SELECT id FROM (${ids}) AS matching ORDER BY id DESC LIMIT $5)
  ORDER BY id DESC`;
const SEARCH = search(matching('true'));
const SEARCH_OF_USER = search(`${matching('actor_id = $6')} UNION ${matching('object_id = $6')}`);

/** Newest first. */
export async function searchEntries(
  manager: EntityManager,
  { userId, actorId, action, from, to }: AuditSearch,
  { limit, after = MAX }: { limit: number; after?: string | undefined },
): Promise<AuditEntry[]> {
  const first = from ? firstIdAt(from) : NIL;
  const end = to ? firstIdAt(to) : MAX;
  const values = [first, end < after ? end : after, actorId, action, limit];
  // No prepared statement: planned for its values, it reads the index of those that are given.
  const rows: EntryRow[] =
    userId === undefined
      ? await manager.query(SEARCH, values)
      : await manager.query(SEARCH_OF_USER, [...values, userId]);
  return rows.map(toEntry);
}

function toEntry(row: EntryRow): AuditEntry {
  return {
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
  };
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
