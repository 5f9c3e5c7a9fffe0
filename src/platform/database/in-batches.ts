const BATCH = 1000;

/**
 * Repeats work on a thousand rows at a time until fewer are left, so that no statement of it runs for long.
 *
 * @returns on how many rows in all.
 */
export async function inBatches(work: (limit: number) => Promise<number>): Promise<number> {
  let total = 0;
  let batch: number;
  do {
    batch = await work(BATCH);
    total += batch;
  } while (batch === BATCH);
  return total;
}
