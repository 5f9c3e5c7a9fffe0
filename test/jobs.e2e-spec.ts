import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { atOnce, harness, TestApp } from './helpers/app.js';
import { Queue } from './helpers/queue.js';
import { Wire } from './helpers/wire.js';
import { until } from './helpers/eventually.js';

const freshDatabase = () => harness.database();

afterEach(() => harness.closeApps());

/** A handler whose payloads are handed over. */
function recording(): { runs: Queue<unknown>; handler: (payload: unknown) => Promise<void> } {
  const runs = new Queue<unknown>();
  return {
    runs,
    handler: (payload) => {
      runs.push(payload);
      return Promise.resolve();
    },
  };
}

async function add(app: TestApp, task: string, payload: object, jobKey?: string): Promise<void> {
  const jobs = await app.jobs();
  await app.started.transaction((transaction) =>
    jobs.add(transaction, task, payload, jobKey ? { jobKey } : {}),
  );
}

const leftJobs = (database: string) =>
  harness.sql<{ task_identifier: string; attempts: number }>(
    database,
    'SELECT task_identifier, attempts FROM latchkey_jobs.jobs',
  );

describe('a job', () => {
  it('runs after the commit, and never after a rollback', async () => {
    const { runs, handler } = recording();
    const app = await TestApp.start({ database: await freshDatabase(), tasks: { 'test-note': { handler } } });
    const jobs = await app.jobs();
    const committed = app.started.transaction(async (transaction) => {
      await jobs.add(transaction, 'test-note', { name: 'Ana' });
      // Another connection sees nothing of it yet.
      expect(await leftJobs(app.started.database)).toEqual([]);
      await transaction.query(`CREATE TABLE committed ()`);
    });
    const rolledBack = app.started.transaction(async (transaction) => {
      await jobs.add(transaction, 'test-note', { name: 'Bob' });
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await committed;
    expect(await runs.next()).toEqual({ name: 'Ana' });
    await add(app, 'test-note', { name: 'Cy' });
    expect(await runs.next()).toEqual({ name: 'Cy' });
    await app.started.close();
    expect(await leftJobs(app.started.database)).toEqual([]);
  });

  it('is not added where there is no transaction', async () => {
    const app = await TestApp.start();
    const jobs = await app.jobs();
    const outside = app.started.transaction((transaction) => Promise.resolve(transaction.dataSource.manager));
    await expect(jobs.add(await outside, 'test-note', {})).rejects.toThrow('outside of a transaction');
  });

  it('runs again after a failure, which is logged without its payload', async () => {
    const { runs, handler } = recording();
    let failures = 0;
    const fallible = async (payload: unknown) => {
      await handler(payload);
      if (failures++ === 0) await app.started.transaction((transaction) => transaction.query('SELECT 1 / 0'));
    };
    const app: TestApp = await TestApp.start({
      database: await freshDatabase(),
      tasks: { 'test-fallible': { handler: fallible } },
    });
    await add(app, 'test-fallible', { secret: 'hush-hush' });
    await runs.next();
    // It would be due in some seconds.
    let due: unknown[] = [];
    while (due.length === 0) {
      due = await app.sql(
        `WITH due AS (UPDATE latchkey_jobs._private_jobs SET run_at = now()
                      WHERE attempts = 1 AND locked_at IS NULL RETURNING id)
         SELECT pg_notify('jobs:insert', '{"count":1}') FROM due`,
      );
    }
    expect(await runs.next()).toEqual({ secret: 'hush-hush' });
    await app.started.close();
    expect(await leftJobs(app.started.database)).toEqual([]);
    const log = app.started.log.lines.join('');
    expect(log).toContain('a job failed; it is repeated');
    expect(log).toContain('"task":"test-fallible","attempt":1');
    expect(log).toContain('division by zero');
    expect(log).not.toContain('hush-hush');
  });

  it('takes the place of one with the same key that has not begun', async () => {
    const { runs, handler } = recording();
    const app = await TestApp.start({
      database: await freshDatabase(),
      tasks: { 'test-keyed': { handler } },
    });
    const jobs = await app.jobs();
    await app.started.transaction(async (transaction) => {
      await jobs.add(transaction, 'test-keyed', { version: 1 }, { jobKey: 'ana' });
      await jobs.add(transaction, 'test-keyed', { version: 2 }, { jobKey: 'ana' });
    });
    expect(await runs.next()).toEqual({ version: 2 });
    await app.started.close();
    expect(runs.size).toBe(0);
  });

  it('runs once, whichever of two replicas adds it', async () => {
    const { runs, handler } = recording();
    const database = await freshDatabase();
    const tasks = { 'test-shared': { handler } };
    const replicas = await Promise.all([1, 2].map(() => TestApp.start({ database, tasks })));
    await atOnce(20, (index) => add(replicas[index % 2]!, 'test-shared', { index }));
    const seen = await atOnce(20, () => runs.next());
    await Promise.all(replicas.map((replica) => replica.started.close()));
    expect(new Set(seen.map((payload) => (payload as { index: number }).index)).size).toBe(20);
    expect(runs.size).toBe(0);
  });

  it('waits for a database that is away, and the server goes on', async () => {
    const { runs, handler } = recording();
    const database = await freshDatabase();
    const wire = await Wire.to(database);
    const near = await TestApp.start({ database });
    const far = await TestApp.start({
      database: wire.url,
      tasks: { 'test-far': { handler, cron: '0 * * * *' } },
    });
    await wire.cut();
    far.clock.advance(3600);
    const schedule = await far.started.provider<Schedule>('platform/jobs/job-schedule.js', 'JobSchedule');
    await expect(schedule.look()).rejects.toThrow();
    // Nobody else has a handler of it.
    await add(near, 'test-far', { added: 'meanwhile' });
    await wire.mend();
    expect(await runs.next()).toEqual({ added: 'meanwhile' });
    await schedule.look();
    expect(await runs.next()).toEqual({});
    await far.started.close();
    await wire.cut();
  });
});

interface Schedule {
  look(): Promise<void>;
}

describe('a scheduled task', () => {
  const scheduleOf = (app: TestApp) =>
    app.started.provider<Schedule>('platform/jobs/job-schedule.js', 'JobSchedule');

  it('runs once in a slot on all replicas together, and not before its first slot', async () => {
    const { runs, handler } = recording();
    const database = await freshDatabase();
    const tasks = { 'test-hourly': { handler, cron: '0 * * * *' } };
    const one = await TestApp.start({ database, tasks });
    const two = await one.replica({ tasks });
    const schedules = await Promise.all([one, two].map(scheduleOf));
    for (let hour = 1; hour <= 3; hour += 1) {
      one.clock.advance(3600);
      await Promise.all(schedules.flatMap((schedule) => [schedule.look(), schedule.look()]));
      expect(await runs.next()).toEqual({});
    }
    await Promise.all([one, two].map((app) => app.started.close()));
    expect([runs.size, await leftJobs(database)]).toEqual([0, []]);
  });

  it('runs once for all the slots that nobody was up for', async () => {
    const { runs, handler } = recording();
    const database = await freshDatabase();
    const tasks = { 'test-hourly': { handler, cron: '0 * * * *' } };
    const before = await TestApp.start({ database, tasks });
    await before.started.close();
    before.clock.advance(10 * 3600);
    const after = await before.replica({ tasks });
    await runs.next();
    await after.started.close();
    expect([runs.size, await leftJobs(database)]).toEqual([0, []]);
  });
});

describe('stopping', () => {
  it('waits for the job under way, which may use the database to its end', async () => {
    const begun = new Queue<() => void>();
    let ended = false;
    const database = await freshDatabase();
    const app: TestApp = await TestApp.start({
      database,
      tasks: {
        'test-long': {
          handler: async () => {
            await new Promise<void>((release) => begun.push(release));
            await app.started.transaction((transaction) => transaction.query('SELECT 1'));
            ended = true;
          },
        },
      },
    });
    await add(app, 'test-long', {});
    const release = await begun.next();
    const closed = app.started.close();
    // Time enough to stop at once, for one that would.
    const meanwhile = (async () => {
      for (let round = 0; round < 200; round += 1) await harness.sql(database, 'SELECT 1');
    })();
    await Promise.race([closed, meanwhile]);
    release();
    await closed;
    expect([ended, await leftJobs(database)]).toEqual([true, []]);
  });
});

describe('the jobs of a killed process', () => {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  async function workingProcess(database: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['test/helpers/killed-worker.mjs'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        PORT: '0',
        LOG_LEVEL: 'silent',
        NODE_ENV: 'test',
        APP_SECRET: 'a-secret-for-tests-and-for-nothing-else',
        DATABASE_URL: database,
        STORAGE_DIR: '/tmp/latchkey-killed-worker',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(createInterface(child.stdout), 'line');
    return child;
  }

  async function kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  it('are taken over by a process that runs, and not before the other is dead', async () => {
    const { runs, handler } = recording();
    const database = await freshDatabase();
    const child = await workingProcess(database);
    const state = () => harness.sql(database, 'SELECT locked_by, attempts FROM latchkey_jobs.jobs');
    const before = await state();
    const app = await TestApp.start({ database, tasks: { 'test-endless': { handler } } });
    expect(await state()).toEqual(before);
    await kill(child);
    expect(await runs.next()).toEqual({ step: 1 });
    // The job may begin before the process that freed it hears that it has.
    await until(() =>
      Promise.resolve(
        app.started.log.lines.join('').includes('jobs of processes that have died are taken over'),
      ),
    );
  });

  it('are taken over by the next process that starts', async () => {
    const { runs, handler } = recording();
    const database = await freshDatabase();
    await kill(await workingProcess(database));
    await TestApp.start({ database, tasks: { 'test-endless': { handler } } });
    expect(await runs.next()).toEqual({ step: 1 });
  });
});
