import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { Jobs } from '../../platform/jobs/jobs.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { purgeSessions } from './session-rows.js';

const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/** Deletes sessions a month after their end: until then a stolen refresh token is still told from a wrong one. */
@Injectable()
export class SessionPurge implements OnModuleInit {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly jobs: Jobs,
  ) {}

  onModuleInit(): void {
    this.jobs.handle('session-purge', () => this.purge(), { cron: '23 * * * *' });
  }

  private async purge(): Promise<void> {
    const endedBefore = new Date(this.clock.now().getTime() - KEPT_MS);
    const sessions = await purgeSessions(this.db, endedBefore);
    if (sessions > 0) this.log.info({ sessions }, 'ended sessions deleted');
  }
}
