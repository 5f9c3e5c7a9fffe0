import { Logger as WorkerLogger, runTaskList, type WorkerEvents, type WorkerPool } from 'graphile-worker';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pg from 'pg';

import type { Logger } from '../observability/logger.js';
import type { JobMetrics } from './job-metrics.js';
import { JOB_SCHEMA } from './job-schema.js';
import type { Task } from './jobs.js';
import { WorkerPresence } from './worker-presence.js';

const WORKERS = 3;
// One that listens, and one that fetches and ends jobs for all: handlers work on the connections of the app.
const CONNECTIONS = 2;
// New jobs are told by a notification. The poll finds repeats that have become due, and what a lost connection has
// not heard of.
const POLL_MS = 10_000;

/** Whom the workers tell of what they do. */
interface Told {
  log: Logger;
  metrics: JobMetrics;
}

/** The workers of this process, on connections of their own. */
export class JobWorkers {
  /** Why they must be replaced; never, where all is well. */
  readonly failed: Promise<Error>;
  private fail!: (error: Error) => void;
  private readonly pool: pg.Pool;
  private readonly clients = new Set<pg.PoolClient>();
  private readonly events = new EventEmitter() as WorkerEvents;
  private presence: WorkerPresence | undefined;
  private workers: WorkerPool | undefined;

  private constructor(
    url: string,
    private readonly told: Told,
  ) {
    this.failed = new Promise((resolve) => (this.fail = resolve));
    this.pool = new pg.Pool({
      connectionString: url,
      application_name: 'latchkey jobs',
      max: CONNECTIONS,
      connectionTimeoutMillis: 10_000,
      idleTimeoutMillis: 6 * POLL_MS,
      keepAlive: true,
    });
    // Whoever uses the connection meets the error as well.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => {
      client.on('error', () => undefined);
      this.clients.add(client);
    });
    this.pool.on('remove', (client) => this.clients.delete(client));
  }

  /** @throws where the database cannot be reached, or is not ready for jobs. */
  static async start(url: string, tasks: ReadonlyMap<string, Task>, told: Told): Promise<JobWorkers> {
    const started = new JobWorkers(url, told);
    try {
      await started.start(url, tasks);
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  /** Takes no more jobs, and waits for those under way. */
  async stop(): Promise<void> {
    // Workers that just met the error that has us stop are about to wait; stopped before, they would call it fatal.
    await nextTurn();
    await this.workers?.gracefulShutdown();
    await this.pool.end();
    await this.presence?.close();
  }

  private async start(url: string, tasks: ReadonlyMap<string, Task>): Promise<void> {
    const presence = await WorkerPresence.open(url, {
      onFreed: (workers) =>
        this.told.log.warn({ workers }, 'jobs of processes that have died are taken over'),
      onLost: (error) => {
        // The others may hang on the same silence for hours.
        for (const client of this.clients) discard(client);
        this.fail(error);
      },
    });
    this.presence = presence;
    this.tellOfEnds();
    // A worker that could not note the end of a job has ended, and nothing takes its place.
    this.events.on('worker:fatalError', ({ error }) => this.fail(error as Error));
    const list = [...tasks].map(([name, { handler }]) => [name, (payload: unknown) => handler(payload)]);
    this.workers = runTaskList(
      {
        schema: JOB_SCHEMA,
        concurrency: WORKERS,
        pollInterval: POLL_MS,
        noHandleSignals: true,
        logger: workerLogger(this.told.log),
        events: this.events,
        preset: { plugins: [this.announcing(presence)] },
      },
      Object.fromEntries(list) as Record<string, (payload: unknown) => Promise<void>>,
      this.pool,
    );
  }

  /** Has each worker wait for its lock before it looks for a job. */
  private announcing(presence: WorkerPresence): GraphileConfig.Plugin {
    const startWorker = async (_context: unknown, { worker }: { worker: { workerId: string } }) => {
      try {
        await presence.hold(worker.workerId);
      } catch (error) {
        this.fail(error as Error);
        throw error;
      }
    };
    return { name: 'LatchkeyPresence', version: '1.0.0', worker: { hooks: { startWorker } } };
  }

  private tellOfEnds(): void {
    const { log, metrics } = this.told;
    this.events.on('job:success', ({ job }) => metrics.ran(job.task_identifier, 'succeeded'));
    this.events.on('job:error', ({ job, error }) => {
      const { id, task_identifier: task, attempts, max_attempts: maxAttempts } = job;
      const isLast = attempts >= maxAttempts;
      metrics.ran(task, isLast ? 'gave_up' : 'failed');
      log[isLast ? 'error' : 'warn'](
        { job: id, task, attempt: attempts, err: error },
        isLast ? 'a job failed for the last time' : 'a job failed; it is repeated',
      );
    });
  }
}

function discard(client: pg.PoolClient): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}

const LEVELS = { error: 'warn', warning: 'warn', info: 'debug', debug: 'trace' } as const;

/** What graphile-worker says, without what it adds: that holds whole jobs, and their payloads. */
function workerLogger(log: Logger): WorkerLogger {
  return new WorkerLogger(() => (level, message, meta) => {
    // Told by us, from the event.
    if (meta?.['failure']) return;
    log[LEVELS[level]](
      { ...(meta?.['error'] instanceof Error && { err: meta['error'] }) },
      `jobs: ${message}`,
    );
  });
}
