import { Command } from 'commander';

import { CONFIG_SLICES } from './app.config.js';
import { rotateKeys } from './auth/rotate-keys.js';
import { systemClock } from './platform/clock.js';
import { envExample } from './platform/config/env-example.js';
import { appKeysOf } from './platform/config/generated-secret.js';
import { loadConfiguration } from './platform/config/load-config.js';
import { processEnvironment } from './platform/config/process-environment.js';
import { secretConfig } from './platform/config/secret.config.js';
import { databaseConfig } from './platform/database/database.config.js';
import { migrate, requireMigrated, revertMigration } from './platform/database/migrate.js';
import { openDatabase } from './platform/database/open-database.js';
import { OperatorError } from './platform/operator-error.js';

const program = new Command('latchkey').description('Runs and looks after a Latchkey installation.');

program
  .command('migrate')
  .description('bring the schema of the database up to date')
  .option('--revert', 'take the newest migration back instead; what it made is lost')
  .action(async ({ revert }: { revert?: true }) => {
    await onDatabase(async (url) => {
      if (revert) {
        const name = await revertMigration(url, say);
        say(name ? `Reverted ${name}` : 'No migration is left to revert');
      } else {
        const names = await migrate(url, say);
        say(names.length > 0 ? `Ran ${names.join(', ')}` : 'The schema is up to date');
      }
    });
  });

program
  .command('keys')
  .description('look after the keys that sign access tokens')
  .command('rotate')
  .description('have a new key sign from 10 minutes on; nobody is signed out')
  .action(async () => {
    // The secret as well, which seals the new key: run it with the environment of the server.
    const configuration = loadConfiguration([databaseConfig, secretConfig], processEnvironment());
    const config = configuration.get(databaseConfig);
    const database = await openDatabase(config, say, 'attach');
    try {
      await requireMigrated(database.url);
      const keys = appKeysOf(configuration.get(secretConfig), config.embeddedDirectory);
      say(await rotateKeys(database.url, keys, systemClock.now()));
    } finally {
      await database.close();
    }
  });

program
  .command('env-example')
  .description('print every environment variable with its meaning, bounds and default')
  .action(() => {
    process.stdout.write(envExample(CONFIG_SLICES));
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exitCode = 1;
}

/** The database of the configuration; the embedded one is shared with a running server, or started for this command. */
async function onDatabase(work: (migrationUrl: string) => Promise<void>): Promise<void> {
  // Nothing else is asked of a migration's environment: it may know no secret of the app.
  const configuration = loadConfiguration([databaseConfig], processEnvironment());
  const database = await openDatabase(configuration.get(databaseConfig), say, 'attach');
  try {
    await work(database.migrationUrl);
  } finally {
    await database.close();
  }
}

function say(message: string): void {
  console.log(message);
}
