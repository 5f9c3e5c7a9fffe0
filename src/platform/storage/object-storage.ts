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
  /**
   * Where everybody may fetch an object without this server, for as long as it is there: clients are told this URL
   * in place of ours. Left out, or nothing: they are told ours.
   */
  publicUrlOf?(key: string): string | undefined;
  /**
   * Where whoever has the URL may fetch an object without this server, for a while and as this type, whatever the
   * store has noted: clients that ask this server are sent there. Left out, or nothing: this server reads the object
   * (`get`), and answers it itself.
   */
  temporaryUrlOf?(key: string, request: TemporaryUrlRequest): Promise<TemporaryUrl | undefined>;
}

export interface TemporaryUrlRequest {
  /** That the URL is asked with: a signature may be good for one alone. */
  method: 'GET' | 'HEAD';
  contentType: string;
}

export interface TemporaryUrl {
  url: string;
  /** For how long it is good, in seconds from now. */
  secondsLeft: number;
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
