import { Injectable } from '@nestjs/common';
import { parseCronItem, type ParsedCronItem } from 'graphile-worker';
import type { EntityManager } from 'typeorm';

import { statement } from '../database/statement.js';
import { JOB_SCHEMA } from './job-schema.js';

/** What is done in a job's stead when it runs. Its payload is what was added, as JSON. */
export type JobHandler = (payload: unknown) => Promise<void>;

export interface Task {
  handler: JobHandler;
  /** Whether it is due in a minute (UTC). */
  isDue?: ParsedCronItem['match'];
}

const add = statement<never>('job_add', `SELECT FROM ${JOB_SCHEMA}.add_job($1, $2::json, job_key => $3)`);

/**
 * Work that is done after the transaction that asks for it, by any replica, and again until it succeeds. At least
 * once: a process may die between the end of a handler and the note that it is done.
 */
@Injectable()
export class Jobs {
  private readonly known = new Map<string, Task>();
  private isSealed = false;

  /**
   * Adds a job in the caller's transaction: it runs after the commit, and not at all after a rollback. One with the
   * `jobKey` of a job that has not begun takes its place.
   */
  async add(
    transaction: EntityManager,
    task: string,
    payload: object,
    { jobKey }: { jobKey?: string } = {},
  ): Promise<void> {
    if (!transaction.queryRunner?.isTransactionActive) {
      throw new Error(`The job ${task} is added outside of a transaction`);
    }
    await add(transaction, [task, JSON.stringify(payload), jobKey ?? null]);
  }

  /**
   * Registers the handler of a task, in `onModuleInit`. With `cron` (UTC) it runs by schedule as well, once on all
   * replicas together, with the payload `{}`.
   */
  handle(task: string, handler: JobHandler, { cron }: { cron?: string } = {}): void {
    if (this.isSealed)
      throw new Error(`The task ${task} is registered after the start: do it in onModuleInit`);
    if (this.known.has(task)) throw new Error(`The task ${task} has a handler already`);
    const isDue = cron === undefined ? undefined : parseCronItem({ task, match: cron }, task).match;
    this.known.set(task, { handler, ...(isDue && { isDue }) });
  }

  /** Every task; no other can be registered from now on. */
  seal(): ReadonlyMap<string, Task> {
    this.isSealed = true;
    return this.known;
  }
}
