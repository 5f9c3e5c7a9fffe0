import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../clock.js';
import { statement } from '../database/statement.js';
import { JOB_SCHEMA } from './job-schema.js';
import { Jobs, type Task } from './jobs.js';

const MINUTE_MS = 60_000;
const LOOK_BACK_MINUTES = 24 * 60;

// The row of the task is the gate: of all replicas, one gets a slot. A task that the database did not know yet is only
// noted; the look-up does not see what the same statement inserts. A run that is still waiting is replaced.
const schedule = statement<never>(
  'job_schedule',
  `WITH taken AS (
     INSERT INTO ${JOB_SCHEMA}._private_known_crontabs AS known (identifier, known_since, last_execution)
     SELECT task, slot, slot FROM unnest($1::text[], $2::timestamptz[]) AS due (task, slot)
     ON CONFLICT (identifier) DO UPDATE SET last_execution = excluded.last_execution
     WHERE known.last_execution < excluded.last_execution
     RETURNING identifier
   )
   SELECT FROM taken JOIN ${JOB_SCHEMA}._private_known_crontabs USING (identifier),
     ${JOB_SCHEMA}.add_job(identifier, '{}', job_key => 'cron ' || identifier)`,
);

/**
 * Adds the jobs of tasks that run by schedule; slots that all replicas have slept through within the last day are
 * made up for, once a task. Our own, since that of graphile-worker ends the process where the database is away.
 */
@Injectable()
export class JobSchedule {
  private examined: number | undefined;

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly jobs: Jobs,
  ) {}

  /** Adds what has become due since the last look. */
  async look(): Promise<void> {
    const now = Math.floor(this.clock.now().getTime() / MINUTE_MS);
    const since = Math.max(this.examined ?? 0, now - LOOK_BACK_MINUTES);
    const due = [...this.jobs.seal()].flatMap(([name, task]) => {
      const slot = lastSlot(task, since, now);
      return slot ? [{ name, slot }] : [];
    });
    if (due.length > 0) {
      await schedule(this.db, [due.map(({ name }) => name), due.map(({ slot }) => slot)]);
    }
    this.examined = now;
  }
}

/** The newest minute after `since` and until `now` in which a task is due. */
function lastSlot({ isDue }: Task, since: number, now: number): Date | undefined {
  if (!isDue) return undefined;
  for (let minute = now; minute > since; minute -= 1) {
    const time = new Date(minute * MINUTE_MS);
    const digest = {
      min: time.getUTCMinutes(),
      hour: time.getUTCHours(),
      date: time.getUTCDate(),
      month: time.getUTCMonth() + 1,
      dow: time.getUTCDay(),
    };
    if (isDue(digest)) return time;
  }
  return undefined;
}
