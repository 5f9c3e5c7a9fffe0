import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { type Logger, LOGGER } from '../observability/logger.js';
import { JobMetrics } from './job-metrics.js';
import { JobSchedule } from './job-schedule.js';
import { JobWorkers } from './job-workers.js';
import { Jobs } from './jobs.js';

/** Injection token of the URL of the database that jobs are kept in. */
export const JOBS_DATABASE_URL = Symbol('JOBS_DATABASE_URL');

const RESTART_MS = 1000;
const LOOK_EVERY_MS = 5000;

/** Runs jobs for as long as the app does, whatever happens to the database meanwhile. */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(JOBS_DATABASE_URL) private readonly url: string,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly jobs: Jobs,
    private readonly schedule: JobSchedule,
    private readonly metrics: JobMetrics,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.jobs.seal().size === 0) return;
    this.running = this.keepRunning(await this.start());
    await this.look();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  // Before the connections of the app are closed, which handlers use.
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.running;
  }

  private start(): Promise<JobWorkers> {
    return JobWorkers.start(this.url, this.jobs.seal(), { log: this.log, metrics: this.metrics });
  }

  private async keepRunning(workers: JobWorkers): Promise<void> {
    const { signal } = this.stopping;
    const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort');
    for (let current: JobWorkers | undefined = workers; ; current = await this.startAgain()) {
      const error = await Promise.race([current?.failed, stopped.then(() => undefined)]);
      if (error) this.log.warn({ err: error }, 'the connection of the jobs is lost; it is made anew');
      await current?.stop();
      if (!signal.aborted) await delay(RESTART_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  private async startAgain(): Promise<JobWorkers | undefined> {
    try {
      return await this.start();
    } catch (error) {
      this.log.warn({ err: error }, 'the connection of the jobs cannot be made; it is tried again');
      return undefined;
    }
  }

  private async look(): Promise<void> {
    try {
      await this.schedule.look();
    } catch (error) {
      this.log.warn({ err: error }, 'the schedule of the jobs cannot be kept; it is tried again');
    }
  }
}
