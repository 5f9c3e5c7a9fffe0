import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Problem } from '../http/problem.js';
import { isObjectKey, requireObjectKey } from './object-key.js';
import type { ListedObject, ObjectStorage, StoredObject } from './object-storage.js';

const SHARD_LENGTH = 2;

/** Objects as files, spread over folders by the first two characters of their keys. */
export class DiskStorage implements ObjectStorage {
  constructor(private readonly directory: string) {}

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.pathOf(key);
    // Listed as an object of its own, so that a crash leaves nothing that nobody finds.
    const unfinished = this.pathOf(`${key.slice(0, SHARD_LENGTH)}${randomBytes(16).toString('hex')}.tmp`);
    await orUnavailable(async () => {
      await mkdir(this.shardOf(key), { recursive: true });
      try {
        await writeFile(unfinished, bytes, { flag: 'wx', flush: true });
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => undefined);
        throw error;
      }
    });
  }

  get(key: string): Promise<StoredObject | undefined> {
    const path = this.pathOf(key);
    return orUnavailable(async () => {
      const file = await unlessMissing(open(path));
      if (!file) return undefined;
      try {
        const { size } = await file.stat();
        return { stream: file.createReadStream(), size };
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  async delete(keys: readonly string[]): Promise<void> {
    const paths = keys.map((key) => this.pathOf(key));
    await orUnavailable(() => Promise.all(paths.map((path) => rm(path, { force: true }))));
  }

  async *list(): AsyncIterable<ListedObject> {
    const shards = await orUnavailable(() => unlessMissing(readdir(this.directory)));
    for (const shard of shards ?? []) {
      if (shard.length === SHARD_LENGTH) yield* this.listShard(shard);
    }
  }

  private async *listShard(shard: string): AsyncIterable<ListedObject> {
    const names = await orUnavailable(() => readdir(join(this.directory, shard)));
    for (const key of names) {
      if (!isObjectKey(key) || !key.startsWith(shard)) continue;
      const found = await orUnavailable(() => unlessMissing(stat(this.pathOf(key))));
      if (found) yield { key, modifiedAt: found.mtime };
    }
  }

  private pathOf(key: string): string {
    requireObjectKey(key);
    return join(this.shardOf(key), key);
  }

  private shardOf(key: string): string {
    return join(this.directory, key.slice(0, SHARD_LENGTH));
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Problem('storage_unavailable', undefined, { cause: error });
  }
}
