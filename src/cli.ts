import { Argument, Command, InvalidArgumentError } from 'commander';
import { DataSource, type EntityManager } from 'typeorm';

import { CONFIG_SLICES } from './app.config.js';
import { MIGRATION_STEPS } from './app.migration-steps.js';
import { pruneAuditLog } from './audit/prune-audit-log.js';
import { rotateKeys } from './auth/keys/rotate-keys.js';
import { BREAKER_SCOPES, parseScope, type Scope } from './otp/breakers/breaker-scope.js';
import { breakerConfig } from './otp/breakers/breaker.config.js';
import { type ForcedState, setBreaker } from './otp/breakers/set-breaker.js';
import { smsStatusTable } from './otp/breakers/sms-status-table.js';
import { readSmsStatus } from './otp/breakers/sms-status.js';
import { unlockNumber } from './otp/limits/unlock-number.js';
import type { AppKeys } from './platform/config/app-keys.js';
import { envExample } from './platform/config/env-example.js';
import { appKeysOf } from './platform/config/generated-secret.js';
import { loadConfiguration } from './platform/config/load-config.js';
import { processEnvironment } from './platform/config/process-environment.js';
import { secretConfig } from './platform/config/secret.config.js';
import { systemClock } from './platform/clock.js';
import { databaseConfig } from './platform/database/database.config.js';
import { migrate, requireMigrated, revertMigration } from './platform/database/migrate.js';
import { dataSourceOptions } from './platform/database/data-source-options.js';
import { type OpenDatabase, openDatabase } from './platform/database/open-database.js';
import { OperatorError } from './platform/operator-error.js';
import { writtenPhoneNumber } from './platform/phone-number.js';
import { ownerOfNumber } from './users/phone-number-rows.js';
import { grantAdmin, listAdmins, revokeAdmin } from './users/administrators.js';

const DAY_MS = 24 * 60 * 60 * 1000;

const program = new Command('latchkey').description('Runs and looks after a Latchkey installation.');

program
  .command('migrate')
  .description('bring the schema of the database up to date')
  .option('--revert', 'take the newest migration back instead; what it made is lost')
  .action(async ({ revert }: { revert?: true }) => {
    await onDatabase(async ({ migrationUrl: url }) => {
      if (revert) {
        const name = await revertMigration(url, say);
        say(name ? `Reverted ${name}` : 'No migration is left to revert');
      } else {
        const names = await migrate(url, say, MIGRATION_STEPS);
        say(names.length > 0 ? `Ran ${names.join(', ')}` : 'The schema is up to date');
      }
    });
  });

const role = () => new Argument('<role>', 'what it may do').choices(['admin']);
const number = () => new Argument('<number>', 'phone number of an account, with + and country code');

program
  .command('grant')
  .description('grant a role to the user of a phone number')
  .addArgument(role())
  .addArgument(number())
  .action((_role: string, phoneNumber: string) =>
    onTables(async (manager) => {
      const isNew = await grantAdmin(manager, e164(phoneNumber), systemClock.now());
      say(
        isNew
          ? 'Granted. It is in force after a new sign-in that asks for a code of 8 digits (min_code_length 8).'
          : 'That user is an administrator already.',
      );
    }),
  );

program
  .command('revoke')
  .description('take a role from the user of a phone number; gone from all sessions within 5 seconds')
  .addArgument(role())
  .addArgument(number())
  .option('--last', 'even if nobody else holds it')
  .action((_role: string, phoneNumber: string, { last = false }: { last?: boolean }) =>
    onTables(async (manager) => {
      const options = { now: systemClock.now(), last };
      const isTaken = await revokeAdmin(manager, e164(phoneNumber), options);
      say(isTaken ? 'Revoked.' : 'That user is no administrator.');
    }),
  );

program
  .command('list')
  .description('list who holds a role')
  .addArgument(role().argOptional())
  .action(() =>
    onTables(async (manager) => {
      const admins = await listAdmins(manager);
      for (const { userId, phoneNumber, status } of admins)
        say(`admin  ${phoneNumber}  ${userId}  ${status}`);
      if (admins.length === 0) say('Nobody holds a role.');
    }),
  );

program
  .command('prune-audit')
  .description(
    'delete entries of the audit log for good; the role of DATABASE_MIGRATION_URL must own the table',
  )
  .requiredOption('--older-than <days>', 'those that are older than so many days', wholeNumber)
  .action(({ olderThan }: { olderThan: number }) =>
    onTables(
      async (manager) => {
        const before = new Date(systemClock.now().getTime() - olderThan * DAY_MS);
        say(`Deleted ${await pruneAuditLog(manager, before)} entries from before ${before.toISOString()}`);
      },
      ({ migrationUrl }) => migrationUrl,
    ),
  );

program
  .command('unlock')
  .description(
    'forget the failed guesses and sends of a number, so that its next code is short and goes out at once',
  )
  .addArgument(number())
  .action((phoneNumber: string) =>
    onTablesWithKeys(async (manager, keys) => {
      const unlocked = e164(phoneNumber);
      const userId = await ownerOfNumber(manager, unlocked);
      const question = { phoneNumber: unlocked, userId, keys, now: systemClock.now() };
      const { failures, sends } = await unlockNumber(manager, question);
      say(`Forgot ${failures} failed guesses and ${sends} sends.`);
    }),
  );

const sms = program.command('sms').description('see how texts fare, and hold breakers open or closed');

sms
  .command('status')
  .description('show what was sent where, whose codes were entered, and what is stopped, why')
  .option('--country <code>', 'of one country only, like BR', country)
  .option('--limit <count>', 'countries and prefixes at most, each', wholeNumber, 20)
  .action(({ country: only, limit }: { country?: string; limit: number }) =>
    onTables(async (manager) => {
      const config = loadConfiguration([breakerConfig], processEnvironment()).get(breakerConfig);
      const query = { now: systemClock.now(), limit, country: only };
      say(smsStatusTable(await readSmsStatus(manager, config, query)));
    }),
  );

const SMS_COMMANDS: [name: string, state: ForcedState, description: string][] = [
  ['open', 'open', 'stop texts to numbers without a sign-in, but for one each five minutes, until `auto`'],
  ['close', 'closed', 'let all texts through, whatever the rules say, until `auto`'],
  ['auto', 'auto', 'leave a breaker to its rules again'],
];
for (const [name, state, description] of SMS_COMMANDS) {
  sms
    .command(name)
    .description(description)
    .addArgument(new Argument('<scope>', BREAKER_SCOPES).argParser(scope))
    .action((of: Scope) =>
      onTables(async (manager) => {
        const change = await setBreaker(manager, of, state, { now: systemClock.now() });
        if (!change) say(`${of.name} is ${state} already.`);
        else say(`${of.name} is ${change.after.state}, ${change.after.mode}; it was ${change.before.state}.`);
      }),
    );
}

program
  .command('keys')
  .description('look after the keys that sign access tokens')
  .command('rotate')
  .description('have a new key sign from 10 minutes on; nobody is signed out')
  .action(() =>
    onDatabaseWithKeys(async ({ url }, keys) => say(await rotateKeys(url, keys, systemClock.now()))),
  );

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
async function onDatabase(work: (database: OpenDatabase) => Promise<void>): Promise<void> {
  // Nothing else is asked of a migration's environment: it may know no secret of the app.
  const configuration = loadConfiguration([databaseConfig], processEnvironment());
  const database = await openDatabase(configuration.get(databaseConfig), say, 'attach');
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

/** The same with the keys of the secret: to be run with the environment of the server. */
async function onDatabaseWithKeys(
  work: (database: OpenDatabase, keys: AppKeys) => Promise<void>,
): Promise<void> {
  const configuration = loadConfiguration([databaseConfig, secretConfig], processEnvironment());
  const config = configuration.get(databaseConfig);
  const database = await openDatabase(config, say, 'attach');
  try {
    await requireMigrated(database.url);
    await work(database, appKeysOf(configuration.get(secretConfig), config.embeddedDirectory));
  } finally {
    await database.close();
  }
}

/** The tables, by the role that serves unless another is asked for. */
function onTables(
  work: (manager: EntityManager) => Promise<void>,
  urlOf = ({ url }: OpenDatabase) => url,
): Promise<void> {
  return onDatabase((database) => onTablesOf(urlOf(database), work));
}

function onTablesWithKeys(work: (manager: EntityManager, keys: AppKeys) => Promise<void>): Promise<void> {
  return onDatabaseWithKeys(({ url }, keys) => onTablesOf(url, (manager) => work(manager, keys)));
}

async function onTablesOf(url: string, work: (manager: EntityManager) => Promise<void>): Promise<void> {
  const dataSource = await new DataSource(dataSourceOptions(url, 1)).initialize();
  try {
    await work(dataSource.manager);
  } finally {
    await dataSource.destroy();
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new InvalidArgumentError('It must be a whole number from 1 to 99999.');
  return Number(text);
}

function country(text: string): string {
  const found = parseScope(`country:${text.toUpperCase()}`);
  if (!found) throw new InvalidArgumentError('It must be an ISO 3166-1 code, like BR.');
  return found.key;
}

function scope(text: string): Scope {
  const found = parseScope(text);
  if (!found) throw new InvalidArgumentError(`It must be ${BREAKER_SCOPES}.`);
  return found;
}

function e164(text: string): string {
  const number = writtenPhoneNumber(text);
  if (number === undefined)
    throw new OperatorError('That is no phone number: write it with + and country code, like +14155552671.');
  return number;
}

function say(message: string): void {
  console.log(message);
}
