import type { EntityManager } from 'typeorm';

import { statement } from '../platform/database/statement.js';

// The statements on `users.uploads_at`.

const RECENT = 'ARRAY(SELECT at FROM unnest(uploads_at) AS at WHERE at > $3)';

// Uploads of one user at once, on whatever replicas, queue for the row, and each judges what the one before it has left.
const count = statement<{ id: string }>(
  'upload_count',
  `UPDATE users SET uploads_at = ${RECENT} || $2::timestamptz
   WHERE id = $1 AND status <> 'deleted' AND cardinality(${RECENT}) < $4
   RETURNING id`,
);

/** @returns false, and counts nothing, where the user has begun `max` uploads `since` then. */
export async function countUpload(
  manager: EntityManager,
  { userId, now, since, max }: { userId: string; now: Date; since: Date; max: number },
): Promise<boolean> {
  return (await count(manager, [userId, now, since, max])).length > 0;
}

const read = statement<{ uploads_at: Date[] }>(
  'upload_read',
  `SELECT uploads_at FROM users WHERE id = $1 AND status <> 'deleted'`,
);

/** When the uploads that are counted were begun; nothing where there is no such user, or no longer. */
export async function readUploads(manager: EntityManager, userId: string): Promise<Date[] | undefined> {
  const [row] = await read(manager, [userId]);
  return row?.uploads_at;
}
