import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Jobs } from '../platform/jobs/jobs.js';
import { OBJECT_STORAGE, type ObjectStorage } from '../platform/storage/object-storage.js';
import { deletePictures } from './picture-rows.js';
import { renditionsOf } from './renditions.js';

const TASK = 'delete-picture-files';

/** Erases all pictures of an owner: the rows in the transaction of who asks for it, their files by a job of it. */
@Injectable()
export class PictureErasure implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
  ) {}

  onModuleInit(): void {
    // Objects that are not there count as deleted: the job may be repeated, and is, until the store takes it.
    this.jobs.handle(TASK, (payload) => this.storage.delete((payload as { objects: string[] }).objects));
  }

  async erase(transaction: EntityManager, ownerId: string): Promise<void> {
    const storageKeys = await deletePictures(transaction, ownerId);
    const objects = storageKeys.flatMap((storageKey) => Object.values(renditionsOf(storageKey)) as string[]);
    if (objects.length > 0) await this.jobs.add(transaction, TASK, { objects });
  }
}
