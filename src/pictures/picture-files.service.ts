import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { Problem } from '../platform/http/problem.js';
import { OBJECT_STORAGE, type ObjectStorage, type StoredObject } from '../platform/storage/object-storage.js';
import { knownStorageKeys } from './picture-rows.js';
import { PICTURE_MEDIA_TYPE, storageKeyOf } from './renditions.js';

// As long as nobody moves the store.
const PUBLIC_URL_SECONDS = 3600;

/** Where the store itself shows a file. */
export interface Elsewhere {
  url: string;
  /** Seconds in which whoever has it may go there again without asking us. */
  maxAge: number;
}

/** The files of pictures, for whoever knows their names. */
@Injectable()
export class PictureFiles {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
  ) {}

  /** @throws {Problem} `not_found` where no picture has that file: the row decides, even while the file is there. */
  async require(object: string): Promise<void> {
    const storageKey = storageKeyOf(object);
    if (!storageKey || (await knownStorageKeys(this.db, [storageKey])).size === 0) {
      throw new Problem('not_found');
    }
  }

  /**
   * The place where the store shows a file without us, if it does.
   *
   * @throws {Problem} `storage_unavailable`
   */
  async elsewhere(object: string, method: 'GET' | 'HEAD'): Promise<Elsewhere | undefined> {
    const url = this.storage.publicUrlOf?.(object);
    if (url !== undefined) return { url, maxAge: PUBLIC_URL_SECONDS };
    const signed = await this.storage.temporaryUrlOf?.(object, { method, contentType: PICTURE_MEDIA_TYPE });
    // Whoever goes there at the last moment has as long again to get it.
    return signed && { url: signed.url, maxAge: Math.floor(signed.secondsLeft / 2) };
  }

  /** @throws {Problem} `storage_unavailable`, also where a file is missing that a row vouches for. */
  async read(object: string): Promise<StoredObject> {
    const stored = await this.storage.get(object);
    if (!stored) {
      throw new Problem('storage_unavailable', undefined, {
        cause: new Error(`${object} is not in the store`),
      });
    }
    return stored;
  }
}
