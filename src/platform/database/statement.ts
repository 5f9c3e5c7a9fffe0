import type { Socket } from 'node:net';
import type { PoolClient } from 'pg';
import type { EntityManager, QueryRunner } from 'typeorm';

import { databaseErrorCode, isNoAnswer } from './database-errors.js';

/** Runs a {@link statement}: on the transaction of `manager` if it is in one, else on a connection of the pool. */
export type Statement<Row> = (manager: EntityManager, values: readonly unknown[]) => Promise<Row[]>;

// "cached plan must not change result type": a migration changed a table under a prepared statement.
const PLAN_CHANGED = '0A000';

/**
 * A named (prepared) statement for the hot path: PostgreSQL plans it once a connection, which halves its cost.
 * Its columns are named, never `*`.
 */
export function statement<Row>(name: string, text: string): Statement<Row> {
  const run = async (runner: QueryRunner, values: readonly unknown[]): Promise<Row[]> => {
    const client = (await runner.connect()) as PoolClient;
    try {
      const { rows } = await client.query<Row & object>({ name, text, values: values as unknown[] });
      return rows;
    } catch (error) {
      if (isNoAnswer(error)) discard(client);
      throw error;
    }
  };
  return async (manager, values) => {
    if (manager.queryRunner) return run(manager.queryRunner, values);
    const runner = manager.dataSource.createQueryRunner();
    try {
      return await run(runner, values).catch((error: unknown) => {
        if (databaseErrorCode(error) !== PLAN_CHANGED) throw error;
        return run(runner, values);
      });
    } finally {
      await runner.release();
    }
  };
}

// The next request would queue behind the answer that never came.
function discard(client: PoolClient): void {
  const { connection } = client as unknown as { connection: { stream: Socket } };
  connection.stream.destroy();
}

/** Runs `work` in a transaction; once more from its start if a migration changed a prepared statement's table. */
export async function inTransaction<T>(
  manager: EntityManager,
  work: (transaction: EntityManager) => Promise<T>,
): Promise<T> {
  try {
    return await manager.transaction(work);
  } catch (error) {
    if (databaseErrorCode(error) !== PLAN_CHANGED) throw error;
    return manager.transaction(work);
  }
}
