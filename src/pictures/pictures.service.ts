import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7, validate as isUuid } from 'uuid';

import type { UploadedFile } from '../platform/http/multipart.js';
import { Problem } from '../platform/http/problem.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { OBJECT_STORAGE, type ObjectStorage } from '../platform/storage/object-storage.js';
import { DecodeQueue } from './decode-queue.js';
import { Decoders } from './decoders.service.js';
import { countPictures, deletePicture, insertPictures, listPictures, placePictures } from './picture-rows.js';
import type { Picture } from './pictures-of-user.js';
import { newStorageKey, PICTURE_MEDIA_TYPE, renditionsOf } from './renditions.js';
import { withTemporaryFile } from './temporary-file.js';

export const MAX_PICTURES = 6;

/** A picture whose files are in the store, and which is nobody's yet. */
export interface StagedPicture {
  storageKey: string;
  width: number;
  height: number;
  thumbhash: string;
}

/**
 * Pictures of owners. Files come first and go last: `stage` before the transaction, `discard` after it; what a crash
 * leaves between the two is a file without a row, which the sweeper deletes. Whoever changes pictures holds a lock
 * of their owner's.
 */
@Injectable()
export class PicturesService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly queue: DecodeQueue,
    private readonly decoders: Decoders,
  ) {}

  /**
   * Reads, re-encodes and stores pictures: all of them, or none.
   *
   * @throws {Problem} `rate_limited`, `service_unavailable` before anything is read where too much is under way, of
   *   this owner or in all; `unsupported_picture`, `picture_unreadable`, `storage_unavailable`, and whatever reading
   *   the files throws.
   */
  stage(ownerId: string, files: AsyncIterable<UploadedFile>): Promise<StagedPicture[]> {
    return this.queue.admit(ownerId, async () => {
      const begun: string[] = [];
      try {
        const staged: StagedPicture[] = [];
        for await (const file of files) {
          const storageKey = newStorageKey();
          begun.push(storageKey);
          staged.push(await this.store(storageKey, file));
        }
        return staged;
      } catch (error) {
        await this.discard(begun);
        throw error;
      }
    });
  }

  private async store(storageKey: string, file: UploadedFile): Promise<StagedPicture> {
    const picture = await withTemporaryFile(file, (read) => this.decoders.process(read));
    const { large, thumbnail } = renditionsOf(storageKey);
    await this.storage.put(large, picture.large, PICTURE_MEDIA_TYPE);
    await this.storage.put(thumbnail, picture.thumbnail, PICTURE_MEDIA_TYPE);
    const { width, height, thumbhash } = picture;
    return { storageKey, width, height, thumbhash };
  }

  /**
   * Gives staged pictures to an owner, behind those that are there.
   *
   * @throws {Problem} `picture_limit_reached`
   */
  async attach(
    transaction: EntityManager,
    ownerId: string,
    staged: readonly StagedPicture[],
    now: Date,
  ): Promise<Picture[]> {
    const added = staged.map((picture) => ({ ...picture, id: uuidv7({ msecs: now.getTime() }) }));
    const pictures = await insertPictures(transaction, ownerId, { added, now, max: MAX_PICTURES });
    if (pictures.length < staged.length) throw new Problem('picture_limit_reached');
    return pictures;
  }

  /** Deletes the files of pictures that have no row, or no longer. What fails is left to the sweeper. */
  async discard(storageKeys: readonly string[]): Promise<void> {
    const objects = storageKeys.flatMap((storageKey) => Object.values(renditionsOf(storageKey)) as string[]);
    try {
      await this.storage.delete(objects);
    } catch (error) {
      this.log.warn({ err: error, objects: objects.length }, 'files of pictures were left to the sweeper');
    }
  }

  /** By position. */
  list(ownerId: string, manager: EntityManager = this.db): Promise<Picture[]> {
    return listPictures(manager, ownerId);
  }

  count(manager: EntityManager, ownerId: string): Promise<number> {
    return countPictures(manager, ownerId);
  }

  /** @returns the storage key, to be discarded once it is certain; nothing where the owner has no such picture. */
  async remove(transaction: EntityManager, ownerId: string, pictureId: string): Promise<string | undefined> {
    return isUuid(pictureId) ? deletePicture(transaction, ownerId, pictureId) : undefined;
  }

  /** @returns false, and changes nothing, unless these are the ids of exactly the pictures that there are. */
  async reorder(transaction: EntityManager, ownerId: string, ids: readonly string[]): Promise<boolean> {
    const asked = ids.map((id) => id.toLowerCase());
    const there = await listPictures(transaction, ownerId);
    const isExact = asked.length === there.length && there.every(({ id }) => asked.includes(id));
    if (isExact) await placePictures(transaction, ownerId, asked);
    return isExact;
  }
}
