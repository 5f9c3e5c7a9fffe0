import type { EntityManager } from 'typeorm';

import { lockKeys } from '../../platform/database/lock-keys.js';
import { statement } from '../../platform/database/statement.js';
import type { PushPlatform } from './session.entity.js';

// The statements on the push tokens of `sessions`.

// The token leaves whoever had it as it comes to this session, in one step. Rows are locked in the order of their ids:
// two devices that swap their tokens would wait for each other.
const set = statement<{ id: string; is_live: boolean }>(
  'push_token_set',
  `WITH touched AS (
     SELECT id FROM sessions WHERE id = $1 OR push_token = $3 ORDER BY id FOR UPDATE
   )
   UPDATE sessions SET
     push_platform = CASE WHEN id = $1 THEN $2 END,
     push_token = CASE WHEN id = $1 THEN $3 END
   WHERE id IN (SELECT id FROM touched)
   RETURNING id, revoked_at IS NULL AS is_live`,
);

/** Gives a session its push token, and takes that off every other. @returns false where the session has ended. */
export async function setPushToken(
  transaction: EntityManager,
  { sessionId, platform, token, lock }: NewPushToken,
): Promise<boolean> {
  // Of sessions that register one token at once none sees the other's: they queue, and the last one keeps it.
  await lockKeys(transaction, [lock]);
  const rows = await set(transaction, [sessionId, platform, token]);
  return rows.some(({ id, is_live: isLive }) => id === sessionId && isLive);
}

interface NewPushToken {
  sessionId: string;
  platform: PushPlatform;
  token: string;
  /** A hash of the token. */
  lock: Buffer;
}

const clear = statement<never>(
  'push_token_clear',
  'UPDATE sessions SET push_platform = NULL, push_token = NULL WHERE id = $1 AND push_token IS NOT NULL',
);

/** Takes the push token off a session, if it has one. */
export async function clearPushToken(manager: EntityManager, sessionId: string): Promise<void> {
  await clear(manager, [sessionId]);
}

interface PushTokenRow {
  user_id: string;
  id: string;
  push_platform: PushPlatform;
  push_token: string;
}

const list = statement<PushTokenRow>(
  'push_tokens_list',
  `SELECT s.user_id, s.id, s.push_platform, s.push_token FROM sessions s JOIN users u ON u.id = s.user_id
   WHERE s.user_id = ANY ($1::uuid[]) AND s.push_token IS NOT NULL
     AND s.revoked_at IS NULL AND s.expires_at > $2 AND u.status = 'active'`,
);

/** Of the sessions of these users that live. */
export function listPushTokens(
  manager: EntityManager,
  userIds: readonly string[],
  now: Date,
): Promise<PushTokenRow[]> {
  return list(manager, [userIds, now]);
}

const forget = statement<never>(
  'push_tokens_forget',
  `WITH dead AS (SELECT id FROM sessions WHERE push_token = ANY ($1::text[]) ORDER BY id FOR UPDATE)
   UPDATE sessions SET push_platform = NULL, push_token = NULL WHERE id IN (SELECT id FROM dead)`,
);

/** Takes these tokens off whoever has them. */
export async function forgetPushTokens(manager: EntityManager, tokens: readonly string[]): Promise<void> {
  await forget(manager, [tokens]);
}
