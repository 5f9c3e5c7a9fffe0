import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { Problem } from '../platform/http/problem.js';
import { OBJECT_STORAGE, type ObjectStorage, type StoredObject } from '../platform/storage/object-storage.js';
import { knownStorageKeys } from './picture-rows.js';
import { storageKeyOf } from './renditions.js';

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
