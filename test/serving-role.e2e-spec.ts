import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { harness, TestApp } from './helpers/app.js';
import { Queue } from './helpers/queue.js';

const run = promisify(execFile);
afterEach(() => harness.closeApps());

const roles: { database: string; name: string }[] = [];

afterAll(async () => {
  for (const { database, name } of roles) {
    await harness.sql(database, `DROP OWNED BY ${name}`);
    await harness.sql(database, `DROP ROLE ${name}`);
  }
});

/** A role that may log in to a database, and nothing else. */
async function aRole(database: string): Promise<{ name: string; url: string }> {
  const name = `latchkey_test_${randomBytes(6).toString('hex')}`;
  await harness.sql(database, `CREATE ROLE ${name} LOGIN PASSWORD 'of-a-test'`);
  roles.push({ database, name });
  const url = new URL(database);
  url.username = name;
  url.password = 'of-a-test';
  return { name, url: url.href };
}

/** The blocks of SQL that docs/OPERATIONS.md has an owner run, for this role. */
async function documentedGrants(role: string): Promise<string[]> {
  const text = await readFile('docs/OPERATIONS.md', 'utf8');
  const blocks = [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) => sql);
  return blocks.filter((sql) => sql.includes('GRANT')).map((sql) => sql.replaceAll('latchkey_app', role));
}

const migrate = (url: string, migrationUrl: string) =>
  run(process.execPath, ['bin/latchkey.js', 'migrate'], {
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: url, DATABASE_MIGRATION_URL: migrationUrl },
  });

/** The connections of a role to a database. */
const connectionsOf = (database: string, role: string) =>
  harness.sql(
    database,
    'SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND usename = $1',
    [role],
  );

/** Serves as that role, signs somebody in, and runs a job. */
async function serveAndWork(url: string): Promise<void> {
  const runs = new Queue<unknown>();
  const handler = (payload: unknown) => {
    runs.push(payload);
    return Promise.resolve();
  };
  const app = await TestApp.start({
    database: url,
    env: { MIGRATE_ON_BOOT: 'false' },
    tasks: { 'test-note': { handler, cron: '0 * * * *' } },
  });
  const ana = await app.signIn();
  expect((await app.get('/api/auth/profile', ana.bearer)).status).toBe(200);
  const jobs = await app.jobs();
  await app.started.transaction((transaction) =>
    jobs.add(transaction, 'test-note', { n: 1 }, { jobKey: 'n' }),
  );
  expect(await runs.next()).toEqual({ n: 1 });
  app.clock.advance(3600);
  const schedule = await app.started.provider<{ look(): Promise<void> }>(
    'platform/jobs/job-schedule.js',
    'JobSchedule',
  );
  await schedule.look();
  expect(await runs.next()).toEqual({});
  await expect(app.started.transaction((tx) => tx.query('CREATE TABLE mine ()'))).rejects.toThrow(
    /permission denied/,
  );
  await app.started.close();
}

describe('a role that may not change the schema', () => {
  it('serves and works, granted what the documents say before the first migration', async () => {
    const owner = await harness.database({ empty: true });
    const { name, url } = await aRole(owner);
    const [before] = await documentedGrants(name);
    await harness.sql(owner, before ?? '');
    await migrate(url, owner);
    await serveAndWork(url);
  });

  it('serves and works on a database of an earlier version, granted the rest afterwards', async () => {
    const owner = await harness.database({ empty: true });
    const { name, url } = await aRole(owner);
    const [before, after] = await documentedGrants(name);
    await harness.sql(owner, before?.split('\n')[0] ?? '');
    await migrate(url, owner);
    const start = TestApp.start({ database: url, env: { MIGRATE_ON_BOOT: 'false' } });
    await expect(start).rejects.toThrow(/may not use the schema latchkey_jobs: grant it/);
    await harness.sql(owner, after ?? '');
    await serveAndWork(url);
  });

  it('is told what it lacks where the server migrates by itself, too', async () => {
    const owner = await harness.database({ empty: true });
    const { name, url } = await aRole(owner);
    const [before] = await documentedGrants(name);
    await harness.sql(owner, before?.split('\n')[0] ?? '');
    const start = TestApp.start({ database: url, env: { DATABASE_MIGRATION_URL: owner } });
    await expect(start).rejects.toThrow(/may not use the schema latchkey_jobs: grant it/);
    // A start that fails lets go of all that it has opened.
    while ((await connectionsOf(owner, name)).length > 0);
  });
});

describe('the tables of the jobs', () => {
  it('are asked for where they are missing', async () => {
    const database = await harness.database();
    await harness.sql(database, 'DROP SCHEMA latchkey_jobs CASCADE');
    const start = TestApp.start({ database, env: { MIGRATE_ON_BOOT: 'false' } });
    await expect(start).rejects.toThrow(
      /lacks revision \d+ of the schema latchkey_jobs: run `latchkey migrate`/,
    );
    await migrate(database, database);
    const app = await TestApp.start({ database, env: { MIGRATE_ON_BOOT: 'false' } });
    expect((await app.get('/health/ready')).status).toBe(200);
  });

  it('are of the revision that the installed graphile-worker makes', async () => {
    const app = await TestApp.start();
    const { version } = JSON.parse(await readFile('node_modules/graphile-worker/package.json', 'utf8')) as {
      version: string;
    };
    const [row] = await app.sql<{ revision: number }>(
      'SELECT max(id) AS revision FROM latchkey_jobs.migrations',
    );
    expect([version.split('.').slice(0, 2).join('.'), row?.revision]).toEqual(['0.16', 18]);
  });
});
