// Fills the database with made-up people, to see how Latchkey does with many:
//
//   npm run seed -- --users 1000000 [--first 0]
//
// The database is that of the environment (DATABASE_URL), or else the embedded one, whether the server runs or not.
import { Command, InvalidArgumentError } from 'commander';
import { performance } from 'node:perf_hooks';

import { MIGRATION_STEPS } from '../dist/app.migration-steps.js';
import { processEnvironment } from '../dist/platform/config/process-environment.js';
import { loadConfiguration } from '../dist/platform/config/load-config.js';
import { databaseConfig } from '../dist/platform/database/database.config.js';
import { migrate } from '../dist/platform/database/migrate.js';
import { openDatabase } from '../dist/platform/database/open-database.js';
import { OperatorError } from '../dist/platform/operator-error.js';
import { populate } from './seed/population.mjs';

const UNIQUE_VIOLATION = '23505';

const { users, first } = new Command('seed')
  .description('Fills the database with made-up people.')
  .option('--users <count>', 'how many', count(1), 10_000)
  .option('--first <number>', 'which: the same numbers are the same people', count(0), 0)
  .parse()
  .opts();

try {
  if (process.env.NODE_ENV === 'production') throw new OperatorError('Seeding is not for production.');
  await seed();
} catch (error) {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exitCode = 1;
}

async function seed() {
  const configuration = loadConfiguration([databaseConfig], processEnvironment());
  const database = await openDatabase(configuration.get(databaseConfig), console.log, 'attach');
  try {
    await migrate(database.migrationUrl, console.log, MIGRATION_STEPS);
    const began = performance.now();
    const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
    await populate(database.url, {
      first,
      users,
      now: new Date(),
      onProgress: (done) => console.log(`${done} of ${users} people after ${seconds()} s`),
    });
    console.log(`${users} people are there, after ${seconds()} s. Their pictures have no files.`);
  } catch (error) {
    if (error.code !== UNIQUE_VIOLATION) throw error;
    throw new OperatorError(
      `Some of these people are there already (${error.constraint}): add others with --first <number>.`,
    );
  } finally {
    await database.close();
  }
}

function count(least) {
  return (text) => {
    const number = Number(text);
    if (!/^\d{1,7}$/.test(text) || number < least || number > 5_000_000) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to 5000000.`);
    }
    return number;
  };
}
