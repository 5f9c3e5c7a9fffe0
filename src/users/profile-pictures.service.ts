import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import type { Picture } from '../pictures/pictures-of-user.js';
import { MAX_PICTURES, PicturesService } from '../pictures/pictures.service.js';
import { type Clock, CLOCK } from '../platform/clock.js';
import { inTransaction } from '../platform/database/statement.js';
import type { UploadedFile } from '../platform/http/multipart.js';
import { Problem } from '../platform/http/problem.js';
import { changeProfile, lockProfile } from './profile-rows.js';
import { UploadBudget } from './upload-budget.js';
import { UploadMetrics } from './upload-metrics.js';

/** What users do with the pictures of their own profile. */
@Injectable()
export class ProfilePicturesService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly pictures: PicturesService,
    private readonly budget: UploadBudget,
    private readonly metrics: UploadMetrics,
  ) {}

  list(userId: string): Promise<Picture[]> {
    return this.pictures.list(userId);
  }

  /**
   * Adds pictures behind those that are there: all of them, or none.
   *
   * @throws {Problem} `picture_limit_reached`, `rate_limited`, and what `PicturesService.stage` throws.
   */
  async add(userId: string, files: AsyncIterable<UploadedFile>): Promise<Picture[]> {
    try {
      const added = await this.addUncounted(userId, files);
      this.metrics.kept(added.length);
      return added;
    } catch (error) {
      this.metrics.refused(error);
      throw error;
    }
  }

  private async addUncounted(userId: string, files: AsyncIterable<UploadedFile>): Promise<Picture[]> {
    // Spares a client the upload. What decides is the count under the lock.
    if ((await this.pictures.count(this.db, userId)) >= MAX_PICTURES) {
      throw new Problem('picture_limit_reached');
    }
    const staged = await this.pictures.stage(userId, this.counted(userId, files));
    try {
      return await this.change(userId, (transaction, { now }) =>
        this.pictures.attach(transaction, userId, staged, now),
      );
    } catch (error) {
      // Whether a COMMIT took place whose answer was lost, nobody knows: only after a refusal there surely is no row.
      if (error instanceof Problem) await this.pictures.discard(staged.map(({ storageKey }) => storageKey));
      throw error;
    }
  }

  /** Once the upload is admitted, and before anything of it is read. */
  private async *counted(userId: string, files: AsyncIterable<UploadedFile>): AsyncIterable<UploadedFile> {
    await this.budget.spend(userId);
    yield* files;
  }

  /** @throws {Problem} `not_found`; `last_picture` where a complete profile would be left without one. */
  async remove(userId: string, pictureId: string): Promise<void> {
    const storageKey = await this.change(userId, async (transaction, { isCompleted }) => {
      const removed = await this.pictures.remove(transaction, userId, pictureId);
      if (removed === undefined) throw new Problem('not_found');
      if (isCompleted && (await this.pictures.count(transaction, userId)) === 0) {
        throw new Problem('last_picture');
      }
      return removed;
    });
    await this.pictures.discard([storageKey]);
  }

  /** @throws {Problem} `validation_failed` unless these are the ids of exactly the pictures that there are. */
  async reorder(userId: string, pictureIds: readonly string[]): Promise<void> {
    await this.change(userId, async (transaction) => {
      if (await this.pictures.reorder(transaction, userId, pictureIds)) return;
      const message = 'picture_ids must name each picture that there is once, and nothing else';
      throw new Problem('validation_failed', {
        errors: [{ field: 'picture_ids', code: 'not_allowed', message }],
      });
    });
  }

  /**
   * One transaction that begins with the lock of the profile: of two uploads at once, or two deletions, the second
   * counts what the first has left.
   */
  private change<T>(
    userId: string,
    work: (transaction: EntityManager, profile: { now: Date; isCompleted: boolean }) => Promise<T>,
  ): Promise<T> {
    const now = this.clock.now();
    return inTransaction(this.db, async (transaction) => {
      const profile = await lockProfile(transaction, userId);
      // Deleted since the token was checked.
      if (!profile) throw new Problem('access_token_invalid');
      const result = await work(transaction, { now, isCompleted: profile.completedAt !== null });
      await changeProfile(transaction, userId, {}, { now });
      return result;
    });
  }
}
