import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { AppKeys } from '../../platform/config/app-keys.js';
import { databaseErrorCode } from '../../platform/database/database-errors.js';
import type { CursorFormat } from '../../platform/http/cursor.js';
import { type Page, pageOf } from '../../platform/http/page.dto.js';
import { Problem } from '../../platform/http/problem.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { reckonable } from '../../platform/database/reckonable-degrees.js';
import { chordOf, metresOf } from './earth.js';
import { nearbyCursor } from './nearby-cursor.js';
import { type NearbyQuestion, questionFaults } from './nearby-question.js';
import { type FindOptions, findWithin, type Found } from './nearby-rows.js';
import { placeIndexFault, placeIndexState } from './place-index.js';

const STEP_M = 100;
const DEFAULT_LIMIT = 50;
// Undefined function, operator, type or schema, no use of a schema: the extension is not where it was.
const MOVED = new Set(['42883', '42704', '3F000', '42501']);

/** Finds users by distance. */
@Injectable()
export class NearbySearch implements OnApplicationBootstrap {
  private readonly cursors: CursorFormat<Found>;
  /** Of the extension, once it and the index have been seen. */
  private schema: string | undefined;

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(LOGGER) private readonly log: Logger,
    keys: AppKeys,
  ) {
    this.cursors = nearbyCursor(keys);
  }

  async onApplicationBootstrap(): Promise<void> {
    const fault = placeIndexFault(await placeIndexState(this.db));
    if (fault) this.log.warn(`users nearby cannot be searched: ${fault}`);
  }

  /**
   * Ids of active users with a completed profile, the nearest first, those of one place by id.
   *
   * @returns distances in metres, rounded up to a full hundred: 100 at least.
   * @throws {Problem} `validation_failed`; `service_unavailable` where the extension or the index is missing.
   */
  async find(
    question: NearbyQuestion,
    transaction: EntityManager,
  ): Promise<{ found: readonly { userId: string; metres: number }[]; nextCursor: string | null }> {
    const page = this.check(question);
    const { latitude, longitude, radius_m: radius, exclude = [] } = question;
    const rows = await this.search(transaction, {
      circle: {
        latitude: reckonable(latitude),
        longitude: reckonable(longitude),
        chord: chordOf(radius),
      },
      exclude,
      after: page.after,
      limit: page.limit + 1,
    });
    const { items, nextCursor } = pageOf(rows, page, this.cursors, (last) => last);
    return {
      found: items.map(({ userId, chord }) => ({ userId, metres: roundedUp(metresOf(chord)) })),
      nextCursor,
    };
  }

  private check(question: NearbyQuestion): Page<Found> {
    const errors = questionFaults(question);
    const { limit = DEFAULT_LIMIT, cursor } = question;
    const after = typeof cursor === 'string' ? this.cursors.decode(cursor) : undefined;
    if (cursor !== undefined && cursor !== null && !after) {
      const message = 'cursor must be the next_cursor of a page';
      errors.push({ field: 'cursor', code: 'format', message });
    }
    if (errors.length > 0) throw new Problem('validation_failed', { errors });
    return { limit, after };
  }

  private async search(transaction: EntityManager, options: FindOptions): Promise<Found[]> {
    this.schema ??= await this.schemaOfExtension(transaction);
    try {
      return await findWithin(transaction, this.schema, options);
    } catch (error) {
      if (!MOVED.has(databaseErrorCode(error) ?? '')) throw error;
      this.schema = undefined;
      throw new Problem('service_unavailable', undefined, { cause: error });
    }
  }

  private async schemaOfExtension(transaction: EntityManager): Promise<string> {
    const state = await placeIndexState(transaction);
    const fault = placeIndexFault(state);
    if (!state || fault) throw new Problem('service_unavailable', undefined, { cause: new Error(fault) });
    return state.schema;
  }
}

function roundedUp(metres: number): number {
  return Math.max(STEP_M, Math.ceil(metres / STEP_M) * STEP_M);
}
