import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { Metrics } from '../../platform/observability/metrics.js';
import { countOpenBreakers } from './breaker-rows.js';

/** Shows which breakers are open, as PostgreSQL has it at each scrape: the same on every replica. */
@Injectable()
export class BreakerMetrics {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    metrics: Metrics,
  ) {
    metrics.gauge({
      name: 'latchkey_sms_breaker_open',
      help: 'Breakers that are open: of the service and of a country 0 or 1, of prefixes how many.',
      labels: ['scope'],
      collect: async (gauge) => {
        const open = await this.count();
        if (!open) return;
        gauge.reset();
        for (const [scope, count] of open) gauge.set({ scope }, count);
      },
    });
  }

  /** @returns nothing where the database is away: the other metrics are shown all the same. */
  private async count(): Promise<ReadonlyMap<string, number> | undefined> {
    try {
      const open = new Map([
        ['service', 0],
        ['prefix', 0],
      ]);
      for (const { series, count } of await countOpenBreakers(this.db, this.clock.now()))
        open.set(series, count);
      return open;
    } catch (err) {
      this.log.warn({ err }, 'open breakers cannot be counted');
      return undefined;
    }
  }
}
