import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { Jobs } from '../../platform/jobs/jobs.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { COORDINATES_CONFIG, type CoordinatesConfig } from './coordinates.config.js';
import { purgeTrails } from './coordinates-rows.js';
import { keptSince } from './kept-since.js';

/** Deletes the points of trails that are older than `LOCATION_HISTORY_DAYS`. */
@Injectable()
export class TrailPurge implements OnModuleInit {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(COORDINATES_CONFIG) private readonly config: CoordinatesConfig,
    private readonly jobs: Jobs,
  ) {}

  onModuleInit(): void {
    this.jobs.handle('trail-purge', () => this.purge(), { cron: '53 * * * *' });
  }

  private async purge(): Promise<void> {
    const since = keptSince(this.clock.now(), this.config.historyDays);
    const points = await purgeTrails(this.db, since);
    if (points > 0) this.log.info({ points }, 'old coordinates deleted');
  }
}
