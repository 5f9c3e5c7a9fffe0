import type { EntityManager } from 'typeorm';

import { statement } from '../platform/database/statement.js';
import type { ClientInfo } from '../platform/http/client-info.decorator.js';

// Every statement on `sessions`.

/** What tokens are made from. */
export interface SessionRow {
  id: string;
  userId: string;
  salt: Buffer;
  counter: number;
  authenticatedAt: Date;
  createdAt: Date;
  expiresAt: Date;
}

export interface NewSession extends SessionRow, ClientInfo {
  codeLength: number;
  deviceName: string | null;
}

const insert = statement<never>(
  'session_insert',
  `INSERT INTO sessions (id, user_id, salt, counter, code_length, device_name, ip, user_agent, authenticated_at,
                         created_at, last_used_at, expires_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)`,
);

export async function insertSession(manager: EntityManager, session: NewSession): Promise<void> {
  await insert(manager, [
    session.id,
    session.userId,
    session.salt,
    session.counter,
    session.codeLength,
    session.deviceName,
    session.ip,
    session.userAgent,
    session.authenticatedAt,
    session.createdAt,
    session.expiresAt,
  ]);
}

interface RefreshableRow {
  user_id: string;
  salt: Buffer;
  counter: number;
  authenticated_at: Date;
  created_at: Date;
  expires_at: Date;
  is_live: boolean;
  roles: string[];
}

const findRefreshable = statement<RefreshableRow>(
  'session_find_refreshable',
  `SELECT s.user_id, s.salt, s.counter, s.authenticated_at, s.created_at, s.expires_at, u.roles,
          s.revoked_at IS NULL AND s.expires_at > $2 AND u.status = 'active' AS is_live
   FROM sessions s JOIN users u ON u.id = s.user_id
   WHERE s.id = $1`,
);

export interface RefreshableSession {
  session: SessionRow;
  roles: readonly string[];
  isLive: boolean;
}

export async function findRefreshableSession(
  manager: EntityManager,
  id: string,
  now: Date,
): Promise<RefreshableSession | undefined> {
  const [row] = await findRefreshable(manager, [id, now]);
  if (!row) return undefined;
  const { user_id: userId, salt, counter, authenticated_at, created_at, expires_at, roles, is_live } = row;
  const session = {
    id,
    userId,
    salt,
    counter,
    authenticatedAt: authenticated_at,
    createdAt: created_at,
    expiresAt: expires_at,
  };
  return { session, roles, isLive: is_live };
}

const rotate = statement<{ counter: number }>(
  'session_rotate',
  `UPDATE sessions SET counter = counter + 1, rotated_at = $3, last_used_at = $3, expires_at = $4, ip = $5, user_agent = $6
   WHERE id = $1 AND counter = $2 AND revoked_at IS NULL AND expires_at > $3
   RETURNING counter`,
);

/** The one gate of rotation: of several refreshes with one token at once, one is told true. */
export async function rotateSession(
  manager: EntityManager,
  { id, counter }: SessionRow,
  { now, expiresAt, client }: { now: Date; expiresAt: Date; client: ClientInfo },
): Promise<boolean> {
  const rows = await rotate(manager, [id, counter, now, expiresAt, client.ip, client.userAgent]);
  return rows.length > 0;
}

const findLive = statement<{ id: string }>(
  'session_find_live',
  'SELECT id FROM sessions WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3',
);

export async function isSessionLive(
  manager: EntityManager,
  { id, userId, now }: { id: string; userId: string; now: Date },
): Promise<boolean> {
  return (await findLive(manager, [id, userId, now])).length > 0;
}

const revoke = statement<never>(
  'session_revoke',
  'UPDATE sessions SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL',
);

export async function revokeSession(
  manager: EntityManager,
  { id, now, reason }: { id: string; now: Date; reason: 'logout' },
): Promise<void> {
  await revoke(manager, [id, now, reason]);
}
