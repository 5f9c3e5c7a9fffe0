import type { EntityManager } from 'typeorm';

import { statement } from './statement.js';

const lock = statement<never>(
  'key_lock',
  'SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key',
);

/**
 * Makes whoever locks one of these keys wait for the end of the transaction. Locks are taken in the order of the keys,
 * so that two that share some never wait for each other.
 *
 * @param keys hashes: their first 64 bits are what is locked.
 */
export async function lockKeys(transaction: EntityManager, keys: readonly Buffer[]): Promise<void> {
  const inOrder = [...keys].sort((one, other) => Buffer.compare(one, other));
  await lock(transaction, [inOrder.map((key) => key.readBigInt64BE(0).toString())]);
}
