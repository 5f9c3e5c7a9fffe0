import { readdir } from 'node:fs/promises';
import pg from 'pg';
import { DataSource, type EntityManager, type MigrationInterface } from 'typeorm';

import { migrateJobSchema, requireJobSchema } from '../jobs/job-schema.js';
import { OperatorError } from '../operator-error.js';
import { isDatabaseUnavailable } from './database-errors.js';
import { dataSourceOptions } from './data-source-options.js';

/**
 * Work that each run repeats after the migrations, under their lock, as it depends on more than the schema: it looks
 * first, and changes nothing where all is there.
 *
 * @returns the names of what it did.
 */
export type MigrationStep = (manager: EntityManager, log: (message: string) => void) => Promise<string[]>;

type MigrationClass = new () => MigrationInterface;

// Any number does, as long as every replica of every version uses the same.
const LOCK = 4_815_162_342;
const FOLDER = new URL('../../migrations/', import.meta.url);

/** The compiled migrations, oldest first. */
async function migrationClasses(): Promise<MigrationClass[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.js')).sort();
  const modules = await Promise.all(
    files.map((file) => import(new URL(file, FOLDER).href) as Promise<Record<string, MigrationClass>>),
  );
  return modules.flatMap((module) => Object.values(module));
}

/**
 * Brings the schema up to date. Replicas that start at once queue behind an advisory lock: the first migrates, the
 * others find nothing left to do. The tables of the jobs come first, so that a migration may add one.
 *
 * @param steps what is done at the end of each run.
 * @returns the names of what it did.
 */
export async function migrate(
  url: string,
  log: (message: string) => void,
  steps: readonly MigrationStep[],
): Promise<string[]> {
  return withMigrationLock(url, log, async (dataSource, client) => {
    const ran = await migrateJobSchema(client, url);
    const migrations = await dataSource.runMigrations({ transaction: 'each' });
    ran.push(...migrations.map(({ name }) => name));
    for (const step of steps) ran.push(...(await step(dataSource.manager, log)));
    return ran;
  });
}

/** Takes the newest migration back. @returns its name, or nothing where there is none left. */
export async function revertMigration(
  url: string,
  log: (message: string) => void,
): Promise<string | undefined> {
  return withMigrationLock(url, log, async (dataSource) => {
    const [newest] = await dataSource
      .query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id DESC LIMIT 1')
      .catch((): { name: string }[] => []);
    if (newest) await dataSource.undoLastMigration({ transaction: 'each' });
    return newest?.name;
  });
}

/** @throws where the schema is older than the code, or this role may not use the jobs. */
export async function requireMigrated(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client
      .query<{ name: string }>('SELECT name FROM migrations')
      .catch((): { rows: { name: string }[] } => ({ rows: [] }));
    const applied = new Set(rows.map(({ name }) => name));
    const missing = (await migrationClasses()).map(({ name }) => name).filter((name) => !applied.has(name));
    if (missing.length > 0) {
      throw new OperatorError(`The database lacks ${missing.join(', ')}: run \`latchkey migrate\` first.`);
    }
    await requireJobSchema(client);
  } finally {
    await client.end();
  }
}

async function withMigrationLock<T>(
  url: string,
  log: (message: string) => void,
  work: (dataSource: DataSource, client: pg.Client) => Promise<T>,
): Promise<T> {
  const lock = new pg.Client({
    connectionString: url,
    application_name: 'latchkey migrate',
    keepAlive: true,
  });
  // The lock dies with its connection; a fault shows in the statements below, not as an unhandled event.
  lock.on('error', () => undefined);
  await lock.connect();
  try {
    const { rows } = await lock.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [LOCK]);
    if (!rows[0]?.taken) {
      log('Waiting for another process to finish migrating the database');
      await lock.query('SELECT pg_advisory_lock($1)', [LOCK]);
    }
    const dataSource = new DataSource({
      ...dataSourceOptions(url, 1),
      // A migration may rewrite a large table.
      extra: {},
      migrations: await migrationClasses(),
    });
    await dataSource.initialize();
    try {
      return await work(dataSource, lock);
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await lock.end();
  }
}

const RETRY_MS = 1000;

/** Waits for a database that is still starting, saying so. @throws the last error after `attempts` tries. */
export async function waitForDatabase(
  url: string,
  log: (message: string) => void,
  attempts = 30,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return;
    } catch (error) {
      if (attempt === attempts || !isDatabaseUnavailable(error)) throw error;
      log(`The database does not answer yet (try ${attempt} of ${attempts})`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
