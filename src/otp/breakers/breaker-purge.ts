import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { inBatches } from '../../platform/database/in-batches.js';
import { Jobs } from '../../platform/jobs/jobs.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { BreakerChanges } from './breaker-changes.js';
import { findOverdueBreakers, purgeBreakers } from './breaker-purge-rows.js';
import { FORGIVEN_AFTER_MS } from './breaker-rules.js';

/** The counts of a day are an hour of minutes and hours longer at most: then when it closed matters no more. */
const KEPT_MS = 2 * FORGIVEN_AFTER_MS;

/** Closes breakers whose time is over and that nobody sends to, and forgets those that have long been closed. */
@Injectable()
export class BreakerPurge implements OnModuleInit {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly changes: BreakerChanges,
    private readonly jobs: Jobs,
  ) {}

  onModuleInit(): void {
    this.jobs.handle('breaker-purge', () => this.purge(), { cron: '41 * * * *' });
  }

  private async purge(): Promise<void> {
    const now = this.clock.now();
    await inBatches(async (limit) => {
      const overdue = await findOverdueBreakers(this.db, now, limit);
      for (const breaker of overdue) await this.changes.close(breaker, 'time', now);
      return overdue.length;
    });
    const changedBefore = new Date(now.getTime() - KEPT_MS);
    const breakers = await purgeBreakers(this.db, changedBefore);
    if (breakers > 0) this.log.info({ breakers }, 'idle breakers deleted');
  }
}
