import { buffer } from 'node:stream/consumers';

import type { ListedObject, ObjectStorage } from '../../src/platform/storage/object-storage.js';

export const UNAVAILABLE = { code: 'storage_unavailable', status: 503 };

export async function listOf(storage: ObjectStorage): Promise<ListedObject[]> {
  const found = [];
  for await (const object of storage.list()) found.push(object);
  return found;
}

export async function contentOf(storage: ObjectStorage, key: string): Promise<string | undefined> {
  const found = await storage.get(key);
  return found && (await buffer(found.stream)).toString();
}
