import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { inTransaction } from '../../platform/database/statement.js';
import type { Faults } from '../../platform/http/deferred-faults.js';
import { Problem } from '../../platform/http/problem.js';
import { COORDINATES_CONFIG, type CoordinatesConfig } from './coordinates.config.js';
import { clearCoordinates, eraseTrail, listTrail, recordCoordinates } from './coordinates-rows.js';
import type { Coordinates } from './coordinates.js';
import { reckonable } from '../../platform/database/reckonable-degrees.js';
import { keptSince } from './kept-since.js';

const MINUTE_MS = 60 * 1000;
// Clocks of phones are wrong; more than this is no clock.
const MAX_AHEAD_MS = 5 * MINUTE_MS;

/** Where users are, and where they were. */
@Injectable()
export class CoordinatesService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(COORDINATES_CONFIG) private readonly config: CoordinatesConfig,
  ) {}

  /**
   * Keeps where a user is, or was: the last point on the profile, each in the trail. Points may come late, in any
   * order, and more than once.
   *
   * @param point without `recordedAt` it is of this moment.
   * @param faults what is known to be wrong with the request so far; all faults are told in one answer.
   * @throws {Problem} `validation_failed`; `access_token_invalid` where the user is gone since the token was checked.
   */
  async record(
    userId: string,
    point: Omit<Coordinates, 'recordedAt'> & { recordedAt: Date | undefined },
    faults: Faults,
  ): Promise<void> {
    const now = this.clock.now();
    const recordedAt = point.recordedAt ?? now;
    if (recordedAt.getTime() < 0 || recordedAt.getTime() > now.getTime() + MAX_AHEAD_MS) {
      const message = 'recorded_at must be of 1970 or later, and at most 5 minutes ahead';
      faults.add({ field: 'recorded_at', code: 'out_of_range', message });
    }
    faults.throwIfAny();
    const since = keptSince(now, this.config.historyDays);
    const [latitude, longitude] = [reckonable(point.latitude), reckonable(point.longitude)];
    const recorded = { latitude, longitude, accuracyM: point.accuracyM, recordedAt };
    if (await recordCoordinates(this.db, userId, recorded, since)) return;
    throw new Problem('access_token_invalid');
  }

  /** Forgets where a user is and was. @throws {Problem} `access_token_invalid` where the user is gone. */
  async clear(userId: string): Promise<void> {
    await inTransaction(this.db, async (transaction) => {
      // Takes the lock, and so sees every point that came before.
      if (!(await clearCoordinates(transaction, userId))) throw new Problem('access_token_invalid');
      await eraseTrail(transaction, userId);
    });
  }

  /** The trail of a user, newest first; with `before`, only what is older. */
  listOf(
    userId: string,
    page: { limit: number; before?: Date | undefined },
    transaction: EntityManager = this.db,
  ): Promise<Coordinates[]> {
    return listTrail(transaction, userId, page);
  }

  /** Deletes the trail of a user whose profile is locked, and is deleted with it. */
  erase(transaction: EntityManager, userId: string): Promise<void> {
    return eraseTrail(transaction, userId);
  }
}
