import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { FORGET_AFTER_MS, purgeOtps } from './otp-guess-rows.js';

/** Deletes the codes that are forgotten: those that expired more than a day ago. */
@Injectable()
export class OtpPurge implements OnModuleInit {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly jobs: Jobs,
  ) {}

  onModuleInit(): void {
    this.jobs.handle('otp-purge', () => this.purge(), { cron: '7 * * * *' });
  }

  private async purge(): Promise<void> {
    const expiredBefore = new Date(this.clock.now().getTime() - FORGET_AFTER_MS);
    const codes = await purgeOtps(this.db, expiredBefore);
    if (codes > 0) this.log.info({ codes }, 'expired codes deleted');
  }
}
