import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MIGRATION_STEPS } from '../../dist/app.migration-steps.js';
import { startEmbeddedPostgres } from '../../dist/platform/database/embedded/embedded-postgres.js';
import { migrate } from '../../dist/platform/database/migrate.js';
import { createDatabase } from './databases.mjs';

/** Starts PostgreSQL (or takes the one of `DATABASE_URL`) and makes the database that each test file copies. */
export default async function globalSetup() {
  const serverUrl = process.env.DATABASE_URL || (await startServer());
  const template = await createDatabase(serverUrl);
  try {
    await migrate(template, () => undefined, MIGRATION_STEPS);
  } catch (error) {
    // jest tears down only what was set up whole.
    await globalThis.latchkeyTestServer?.server.stop();
    throw error;
  }
  process.env.LATCHKEY_TEST_SERVER = serverUrl;
  process.env.LATCHKEY_TEST_TEMPLATE = template;
}

async function startServer() {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  const log = (message) => process.stderr.write(`${message}\n`);
  const server = await startEmbeddedPostgres({ directory, durable: false, log });
  globalThis.latchkeyTestServer = { server, directory };
  return server.url;
}
