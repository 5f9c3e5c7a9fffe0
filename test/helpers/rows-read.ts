import type { EntityManager } from 'typeorm';

import type { TestApp } from './app.js';

interface Plan {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

/** How many rows PostgreSQL reads, from tables and indexes, for the statement that `work` sends. */
export async function rowsRead(
  app: TestApp,
  work: (manager: EntityManager) => Promise<unknown>,
): Promise<number> {
  let rows = 0;
  const explain = async (text: string, values: unknown[]) => {
    const [row] = await app.sql<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      values,
    );
    rows += row ? readBy(row['QUERY PLAN'][0].Plan) : Number.NaN;
    return [];
  };
  await work({ query: explain } as unknown as EntityManager);
  return rows;
}

function readBy(plan: Plan): number {
  const below = (plan.Plans ?? []).reduce((sum, part) => sum + readBy(part), 0);
  if (!plan['Node Type'].includes('Scan')) return below;
  const removed = (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0);
  return below + (plan['Actual Rows'] + removed) * plan['Actual Loops'];
}
