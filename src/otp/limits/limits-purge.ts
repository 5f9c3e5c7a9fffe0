import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { firstIdAt } from '../../platform/database/first-id-at.js';
import { Jobs } from '../../platform/jobs/jobs.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { DAY_MS, FAILURE_WINDOW_MS, HOUR_MS } from './abuse-policy.js';
import { purgeWaits } from './address-queue-rows.js';
import { purgeAddressLimits } from './address-turn-rows.js';
import { purgePhoneFailures, purgePhoneLimits, purgePhoneSends } from './phone-limit-rows.js';
import { purgeCounters } from './send-counter-rows.js';

/** The counters of hours that serve for comparison (best day of two weeks) are kept for so long. */
const HISTORY_MS = 15 * DAY_MS;

/** Deletes what no window reaches any more. */
@Injectable()
export class LimitsPurge implements OnModuleInit {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly jobs: Jobs,
  ) {}

  onModuleInit(): void {
    this.jobs.handle('limits-purge', () => this.purge(), { cron: '17 * * * *' });
  }

  private async purge(): Promise<void> {
    const now = this.clock.now();
    const before = (ms: number) => new Date(now.getTime() - ms);
    const sends = await purgePhoneSends(this.db, firstIdAt(before(2 * DAY_MS)));
    const failures = await purgePhoneFailures(this.db, firstIdAt(before(FAILURE_WINDOW_MS)));
    const numbers = await purgePhoneLimits(this.db, now);
    const addresses = await purgeAddressLimits(this.db, now);
    const waits = await purgeWaits(this.db, now);
    const old = [
      { span: 1, before: before(2 * HOUR_MS), ofAllScopes: true },
      { span: 60, before: before(2 * DAY_MS), ofAllScopes: false },
      { span: 60, before: before(HISTORY_MS), ofAllScopes: true },
    ] as const;
    let counters = 0;
    for (const which of old) counters += await purgeCounters(this.db, which);
    this.log.info({ sends, failures, numbers, addresses, waits, counters }, 'old counts deleted');
  }
}
