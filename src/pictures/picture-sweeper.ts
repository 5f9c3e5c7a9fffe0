import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { OBJECT_STORAGE, type ObjectStorage } from '../platform/storage/object-storage.js';
import { knownStorageKeys } from './picture-rows.js';
import { storageKeyOf } from './renditions.js';

const HOUR_MS = 3_600_000;
const BATCH = 500;
const MANY = 200;

/** Deletes files without a row: what crashes, lost connections and deleted users have left. */
@Injectable()
export class PictureSweeper implements OnModuleInit, OnModuleDestroy {
  private isStopping = false;

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly jobs: Jobs,
  ) {}

  onModuleInit(): void {
    this.jobs.handle('picture-sweep', () => this.sweep(), { cron: '41 * * * *' });
  }

  // Before those who run jobs begin to wait for their ends.
  onModuleDestroy(): void {
    this.isStopping = true;
  }

  /** Deletes the files older than an hour that have no row. A younger one may be of an upload under way. */
  async sweep(): Promise<void> {
    const { abandoned, known } = await this.survey(new Date(this.clock.now().getTime() - HOUR_MS));
    if (this.isStopping) return;
    // A store full of files of which not one is known belongs, more likely than not, to another database.
    if (known === 0 && abandoned.length > MANY) {
      this.log.error(
        { files: abandoned.length },
        'the database knows none of the stored pictures, so none is deleted: does this store belong to it?',
      );
      return;
    }
    for (let start = 0; start < abandoned.length; start += BATCH) {
      await this.storage.delete(abandoned.slice(start, start + BATCH));
    }
    if (abandoned.length > 0) this.log.info({ files: abandoned.length }, 'files without a picture deleted');
  }

  private async survey(before: Date): Promise<{ abandoned: string[]; known: number }> {
    const abandoned: string[] = [];
    let known = 0;
    let batch: string[] = [];
    const sort = async () => {
      const unknown = await this.withoutRow(batch);
      abandoned.push(...unknown);
      known += batch.length - unknown.length;
      batch = [];
    };
    for await (const { key, modifiedAt } of this.storage.list()) {
      if (this.isStopping) break;
      if (modifiedAt < before) batch.push(key);
      if (batch.length >= BATCH) await sort();
    }
    if (batch.length > 0) await sort();
    return { abandoned, known };
  }

  private async withoutRow(objects: readonly string[]): Promise<string[]> {
    const keys = objects.map((object) => storageKeyOf(object) ?? '');
    const known = await knownStorageKeys(this.db, keys);
    return objects.filter((_, index) => !known.has(keys[index]!));
  }
}
