import type { Readable } from 'node:stream';

/** Injection token of the {@link ObjectStorage}. */
export const OBJECT_STORAGE = Symbol('OBJECT_STORAGE');

/** Where files are kept. A store that is away throws the {@link Problem} `storage_unavailable`. */
export interface ObjectStorage {
  /** Keeps an object whole or not at all; when this is done, it has outlived a crash. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
  /** Nothing where there is no such object. */
  get(key: string): Promise<StoredObject | undefined>;
  /** Those that are not there count as deleted. */
  delete(keys: readonly string[]): Promise<void>;
  /** Every object, and what an unfinished `put` left behind, in any order. */
  list(): AsyncIterable<ListedObject>;
}

export interface StoredObject {
  /** To be read to its end, or destroyed. */
  stream: Readable;
  /** Bytes. */
  size: number;
}

export interface ListedObject {
  key: string;
  modifiedAt: Date;
}
