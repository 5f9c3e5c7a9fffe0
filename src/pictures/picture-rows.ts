import type { EntityManager } from 'typeorm';

import { statement } from '../platform/database/statement.js';
import { type Picture, type PictureRow, toPicture } from './pictures-of-user.js';

// Every statement on `profile_pictures` but the part that a profile is read with. Those that write are run under the
// lock of the owner; the constraints on the position are what holds if they are not.

const COLUMNS = 'id, position, storage_key, width, height, thumbhash';

const list = statement<PictureRow>(
  'pictures_list',
  `SELECT ${COLUMNS} FROM profile_pictures WHERE user_id = $1 ORDER BY position`,
);

export async function listPictures(manager: EntityManager, ownerId: string): Promise<Picture[]> {
  return (await list(manager, [ownerId])).map(toPicture);
}

const count = statement<{ pictures: number }>(
  'pictures_count',
  'SELECT count(*)::integer AS pictures FROM profile_pictures WHERE user_id = $1',
);

export async function countPictures(manager: EntityManager, ownerId: string): Promise<number> {
  const [row] = await count(manager, [ownerId]);
  return row?.pictures ?? 0;
}

const insert = statement<PictureRow>(
  'pictures_insert',
  `INSERT INTO profile_pictures (id, user_id, position, storage_key, width, height, thumbhash, created_at)
   SELECT added.id, $1, there.pictures + added.ordinal - 1, added.storage_key, added.width, added.height,
          added.thumbhash, $2
   FROM (SELECT count(*) AS pictures FROM profile_pictures WHERE user_id = $1) AS there,
        unnest($3::uuid[], $4::text[], $5::integer[], $6::integer[], $7::text[])
          WITH ORDINALITY AS added (id, storage_key, width, height, thumbhash, ordinal)
   WHERE there.pictures + cardinality($3::uuid[]) <= $8
   RETURNING ${COLUMNS}`,
);

/** Adds pictures behind those that are there: all of them, or none where that would be more than `max`. */
export async function insertPictures(
  transaction: EntityManager,
  ownerId: string,
  { added, now, max }: { added: readonly Omit<Picture, 'position'>[]; now: Date; max: number },
): Promise<Picture[]> {
  const rows = await insert(transaction, [
    ownerId,
    now,
    added.map(({ id }) => id),
    added.map(({ storageKey }) => storageKey),
    added.map(({ width }) => width),
    added.map(({ height }) => height),
    added.map(({ thumbhash }) => thumbhash),
    max,
  ]);
  return rows.map(toPicture).sort((one, other) => one.position - other.position);
}

const remove = statement<{ storage_key: string }>(
  'pictures_delete',
  `WITH gone AS (
     DELETE FROM profile_pictures WHERE id = $2 AND user_id = $1 RETURNING id, position, storage_key
   ), moved AS (
     UPDATE profile_pictures p SET position = p.position - 1 FROM gone
     WHERE p.user_id = $1 AND p.position > gone.position
   )
   SELECT storage_key FROM gone`,
);

/** Deletes a picture, and closes the gap. @returns its storage key; nothing where the owner has no such picture. */
export async function deletePicture(
  transaction: EntityManager,
  ownerId: string,
  pictureId: string,
): Promise<string | undefined> {
  const [row] = await remove(transaction, [ownerId, pictureId]);
  return row?.storage_key;
}

const removeAll = statement<{ storage_key: string }>(
  'pictures_delete_all',
  'DELETE FROM profile_pictures WHERE user_id = $1 RETURNING storage_key',
);

/** Deletes every picture of an owner. @returns their storage keys. */
export async function deletePictures(transaction: EntityManager, ownerId: string): Promise<string[]> {
  return (await removeAll(transaction, [ownerId])).map(({ storage_key: storageKey }) => storageKey);
}

const place = statement<never>(
  'pictures_place',
  `UPDATE profile_pictures p SET position = placed.ordinal - 1
   FROM unnest($2::uuid[]) WITH ORDINALITY AS placed (id, ordinal)
   WHERE p.user_id = $1 AND p.id = placed.id`,
);

/** Gives each picture the position that its id has in the list. */
export async function placePictures(
  transaction: EntityManager,
  ownerId: string,
  ids: readonly string[],
): Promise<void> {
  await place(transaction, [ownerId, ids]);
}

const known = statement<{ storage_key: string }>(
  'pictures_known',
  'SELECT storage_key FROM profile_pictures WHERE storage_key = ANY ($1::text[])',
);

/** Which of these storage keys a picture has. */
export async function knownStorageKeys(
  manager: EntityManager,
  storageKeys: readonly string[],
): Promise<Set<string>> {
  const rows = await known(manager, [storageKeys]);
  return new Set(rows.map(({ storage_key: storageKey }) => storageKey));
}
