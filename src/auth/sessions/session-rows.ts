import { type EntityManager, IsNull, MoreThan } from 'typeorm';

import { purgeStatement } from '../../platform/database/purge-statement.js';
import { statement } from '../../platform/database/statement.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import type { LiveSession } from './live-sessions.js';
import { type RevokedReason, Session } from './session.entity.js';

// Every statement on `sessions`, but those on push tokens. Whichever locks several of its rows does so in the order of
// their ids, or two of them could wait for each other.

/** What tokens are made from. */
export interface SessionRow {
  id: string;
  userId: string;
  salt: Buffer;
  counter: number;
  codeLength: number;
  authenticatedAt: Date;
  createdAt: Date;
  expiresAt: Date;
}

export interface NewSession extends SessionRow, ClientInfo {
  deviceName: string | null;
}

// The sign-in holds the lock of its user, so that no two of them count at once.
const insert = statement<{ ended: string[] | null }>(
  'session_insert',
  `WITH ended AS (
     UPDATE sessions SET revoked_at = $10, revoked_reason = 'limit', push_platform = NULL, push_token = NULL
     WHERE id IN (SELECT id FROM sessions WHERE user_id = $2 AND revoked_at IS NULL AND expires_at > $10
                  ORDER BY last_used_at DESC, id DESC OFFSET $12::integer - 1)
     RETURNING id
   )
   INSERT INTO sessions (id, user_id, salt, counter, code_length, device_name, ip, user_agent, authenticated_at,
                         created_at, last_used_at, expires_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)
   RETURNING (SELECT array_agg(id) FROM ended) AS ended`,
);

/**
 * Opens a session; where the user then has more than `max`, the least recently used one ends.
 *
 * @returns the ids of those that ended.
 */
export async function insertSession(
  manager: EntityManager,
  session: NewSession,
  max: number,
): Promise<string[]> {
  const [row] = await insert(manager, [
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
    max,
  ]);
  return row?.ended ?? [];
}

interface RefreshableRow {
  user_id: string;
  salt: Buffer;
  counter: number;
  code_length: number;
  ip: string;
  user_agent: string | null;
  authenticated_at: Date;
  created_at: Date;
  rotated_at: Date | null;
  expires_at: Date;
  is_live: boolean;
  revoked_reason: RevokedReason | null;
  refresh_key_hash: Buffer | null;
  roles: string[];
}

const findRefreshable = statement<RefreshableRow>(
  'session_find_refreshable',
  `SELECT s.user_id, s.salt, s.counter, s.code_length, s.ip, s.user_agent, s.authenticated_at, s.created_at, s.rotated_at, s.expires_at,
          s.revoked_reason, s.refresh_key_hash, u.roles,
          s.revoked_at IS NULL AND s.expires_at > $2 AND u.status = 'active' AS is_live
   FROM sessions s JOIN users u ON u.id = s.user_id
   WHERE s.id = $1`,
);

export interface RefreshableSession {
  session: SessionRow;
  roles: readonly string[];
  /** Where it was last refreshed from. */
  ip: string;
  userAgent: string | null;
  rotatedAt: Date | null;
  isLive: boolean;
  revokedReason: RevokedReason | null;
  /** Of the last refresh. */
  refreshKeyHash: Buffer | null;
}

export async function findRefreshableSession(
  manager: EntityManager,
  id: string,
  now: Date,
): Promise<RefreshableSession | undefined> {
  const [row] = await findRefreshable(manager, [id, now]);
  if (!row) return undefined;
  const session = {
    id,
    userId: row.user_id,
    salt: row.salt,
    counter: row.counter,
    codeLength: row.code_length,
    authenticatedAt: row.authenticated_at,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
  return {
    session,
    roles: row.roles,
    ip: row.ip,
    userAgent: row.user_agent,
    rotatedAt: row.rotated_at,
    isLive: row.is_live,
    revokedReason: row.revoked_reason,
    refreshKeyHash: row.refresh_key_hash,
  };
}

const rotate = statement<{ counter: number }>(
  'session_rotate',
  `UPDATE sessions SET counter = counter + 1, rotated_at = $3, last_used_at = $3, expires_at = $4, ip = $5, user_agent = $6,
     refresh_key_hash = $7
   WHERE id = $1 AND counter = $2 AND revoked_at IS NULL AND expires_at > $3
   RETURNING counter`,
);

/** The one gate of rotation: of several refreshes with one token at once, one is told true. */
export async function rotateSession(
  manager: EntityManager,
  { id, counter }: SessionRow,
  {
    now,
    expiresAt,
    client,
    keyHash,
  }: { now: Date; expiresAt: Date; client: ClientInfo; keyHash: Buffer | null },
): Promise<boolean> {
  const rows = await rotate(manager, [id, counter, now, expiresAt, client.ip, client.userAgent, keyHash]);
  return rows.length > 0;
}

const findLive = statement<{ code_length: number; roles: string[] }>(
  'session_find_live',
  `SELECT s.code_length, u.roles FROM sessions s JOIN users u ON u.id = s.user_id
   WHERE s.id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND s.expires_at > $3 AND u.status = 'active'`,
);

export async function findLiveSession(
  manager: EntityManager,
  { id, userId, now }: { id: string; userId: string; now: Date },
): Promise<LiveSession | undefined> {
  const [row] = await findLive(manager, [id, userId, now]);
  return row && { id, userId, roles: row.roles, codeLength: row.code_length };
}

const revoke = statement<{ id: string }>(
  'session_revoke',
  `UPDATE sessions SET revoked_at = $3, revoked_reason = $4, push_platform = NULL, push_token = NULL
   WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3
   RETURNING id`,
);

/** Ends a session of a user. @returns false where there is none that lives. */
export async function revokeSession(
  manager: EntityManager,
  { id, userId, now, reason }: { id: string; userId: string; now: Date; reason: RevokedReason },
): Promise<boolean> {
  return (await revoke(manager, [id, userId, now, reason])).length > 0;
}

const revokeAll = statement<{ id: string }>(
  'session_revoke_all',
  `WITH others AS (
     SELECT id FROM sessions
     WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL AND expires_at > $3
     ORDER BY id FOR UPDATE
   )
   UPDATE sessions SET revoked_at = $3, revoked_reason = $4, push_platform = NULL, push_token = NULL
   WHERE id IN (SELECT id FROM others)
   RETURNING id`,
);

/** Ends all sessions of a user, but one where that is given. @returns the ids of those that it ended. */
export async function revokeSessions(
  manager: EntityManager,
  { userId, but, now, reason }: { userId: string; but?: string; now: Date; reason: RevokedReason },
): Promise<string[]> {
  return (await revokeAll(manager, [userId, but, now, reason])).map(({ id }) => id);
}

const erase = statement<never>(
  'sessions_erase',
  `WITH mine AS (SELECT id FROM sessions WHERE user_id = $1 ORDER BY id FOR UPDATE)
   DELETE FROM sessions WHERE id IN (SELECT id FROM mine)`,
);

/** Erases the sessions of a user; triggers tell the replicas. */
export async function deleteSessions(transaction: EntityManager, userId: string): Promise<void> {
  await erase(transaction, [userId]);
}

/** The sessions of a user that live, the most recently used first. */
export function listSessions(manager: EntityManager, userId: string, now: Date): Promise<Session[]> {
  return manager.find(Session, {
    where: { userId, revokedAt: IsNull(), expiresAt: MoreThan(now) },
    order: { lastUsedAt: 'DESC', id: 'DESC' },
  });
}

const purge = purgeStatement('session_purge', {
  table: 'sessions',
  key: 'id',
  which: 'LEAST(expires_at, revoked_at) < $2 ORDER BY LEAST(expires_at, revoked_at)',
});

/** Deletes the sessions that ended or expired before a time. @returns how many there were. */
export function purgeSessions(manager: EntityManager, endedBefore: Date): Promise<number> {
  return purge(manager, [endedBefore]);
}
