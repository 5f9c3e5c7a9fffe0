import pg from 'pg';

import { JOB_SCHEMA, requireJobSchema } from './job-schema.js';

const SWEEP_EVERY_MS = 5000;
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Says that workers of this process live, by a lock each that ends with its connection, and frees the jobs of those
 * whose lock is gone: graphile-worker alone leaves the jobs of a killed process locked for four hours.
 */
export class WorkerPresence {
  private readonly workers: string[] = [];
  private queue: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  private constructor(
    private readonly client: pg.Client,
    private readonly onFreed: (jobsOf: number) => void,
    private readonly onLost: (error: Error) => void,
  ) {}

  /** @throws {OperatorError} where this role cannot use the tables of the jobs. */
  static async open(
    url: string,
    events: { onFreed: (workers: number) => void; onLost: (error: Error) => void },
  ): Promise<WorkerPresence> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'latchkey jobs',
      connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
    });
    const presence = new WorkerPresence(client, events.onFreed, events.onLost);
    client.on('error', (error) => presence.lose(error));
    try {
      await client.connect();
      await requireJobSchema(client);
      await client.query(NOTICE_LOST_MACHINES);
      await presence.sweep();
    } catch (error) {
      await presence.close();
      throw error;
    }
    presence.sweepLater();
    return presence;
  }

  /** A worker takes no job before this is done: others would think it dead, and do its job as well. */
  async hold(worker: string): Promise<void> {
    await this.query(`SELECT pg_advisory_lock(${lockOf('$1')})`, [worker]);
    this.workers.push(worker);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.client.end().catch(() => undefined);
  }

  private async sweep(): Promise<void> {
    const [freed] = await this.query<{ workers: number }>(FREE_JOBS_OF_THE_DEAD, [this.workers]);
    if (freed) this.onFreed(freed.workers);
  }

  // One after the other: a connection does no more, and workers start together.
  private query<Row extends object>(text: string, values: unknown[]): Promise<Row[]> {
    const answer = this.queue.then(async () => (await this.client.query<Row>(text, values)).rows);
    this.queue = answer.catch(() => undefined);
    return answer;
  }

  private sweepLater(): void {
    this.timer = setTimeout(() => {
      this.sweep().then(
        () => this.isClosed || this.sweepLater(),
        (error: unknown) => this.lose(error as Error),
      );
    }, SWEEP_EVERY_MS).unref();
  }

  private lose(error: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.timer);
    this.onLost(error);
  }
}

function lockOf(worker: string): string {
  return `hashtextextended('latchkey worker ' || ${worker}, 0)`;
}

// A machine that is gone without a word holds its locks until the server misses it: by default, for two hours.
const NOTICE_LOST_MACHINES =
  'SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3';

// Whoever gets the lock of a worker knows that it is dead, and holds it to the end of the statement, so that of two
// processes that sweep at once one frees the jobs. Idle workers hear of them by the notification.
const FREE_JOBS_OF_THE_DEAD = `
  WITH busy AS (
    SELECT DISTINCT locked_by AS worker FROM ${JOB_SCHEMA}._private_jobs
    WHERE locked_by IS NOT NULL AND locked_by <> ALL ($1::text[])
  ), dead AS (
    SELECT array_agg(worker) AS workers FROM busy WHERE pg_try_advisory_xact_lock(${lockOf('worker')})
  )
  SELECT cardinality(workers) AS workers, ${JOB_SCHEMA}.force_unlock_workers(workers),
         pg_notify('jobs:insert', json_build_object('count', cardinality(workers))::text)
  FROM dead WHERE workers IS NOT NULL`;
