import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import { Problem } from '../platform/http/problem.js';
import { countUpload, readUploads } from './upload-budget-rows.js';
import { UPLOADS_CONFIG, type UploadsConfig } from './uploads.config.js';

const HOUR_MS = 60 * 60 * 1000;

/**
 * How many uploads a user may begin. One whose pictures are refused counts as well, since they are decoded all the
 * same; one that is refused before its body is read does not.
 */
@Injectable()
export class UploadBudget {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(UPLOADS_CONFIG) private readonly config: UploadsConfig,
  ) {}

  /** @throws {Problem} `rate_limited` until the oldest of the hour's uploads is an hour old. */
  async spend(userId: string): Promise<void> {
    const now = this.clock.now();
    const max = this.config.perHour;
    const since = new Date(now.getTime() - HOUR_MS);
    if (await countUpload(this.db, { userId, now, since, max })) return;
    const uploads = await readUploads(this.db, userId);
    // Deleted since the token was checked.
    if (!uploads) throw new Problem('access_token_invalid');
    const latestFirst = uploads.map((at) => at.getTime()).sort((one, other) => other - one);
    const nextAt = (latestFirst[max - 1] ?? now.getTime()) + HOUR_MS;
    throw new Problem('rate_limited', {
      retry_after: Math.max(1, Math.ceil((nextAt - now.getTime()) / 1000)),
    });
  }
}
