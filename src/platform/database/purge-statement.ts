import type { EntityManager } from 'typeorm';

import { inBatches } from './in-batches.js';
import { statement } from './statement.js';

/**
 * A statement that deletes rows, and is repeated until none is left. Rows that somebody holds are left for the next time.
 *
 * @param rows.key a column that tells each row, or `ctid`.
 * @param rows.which what stands behind WHERE, with the parameters from `$2` on; and ORDER BY, where that is the index.
 * @returns what runs it with these parameters: on how many rows in all.
 */
export function purgeStatement(
  name: string,
  { table, key, which }: { table: string; key: string; which: string },
): (manager: EntityManager, values: readonly unknown[]) => Promise<number> {
  const purge = statement<{ deleted: number }>(
    name,
    `WITH purged AS (
       DELETE FROM ${table}
       WHERE ${key} = ANY (ARRAY(SELECT ${key} FROM ${table} WHERE ${which} LIMIT $1 FOR UPDATE SKIP LOCKED))
       RETURNING 1
     )
     SELECT count(*)::integer AS deleted FROM purged`,
  );
  return (manager, values) =>
    inBatches(async (limit) => {
      const [row] = await purge(manager, [limit, ...values]);
      return row?.deleted ?? 0;
    });
}
