import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';

const STATEMENT_TIMEOUT_MS = 10_000;
// Where the server itself no longer answers, not even that it has given up.
const ANSWER_TIMEOUT_MS = 12_000;

/** How every connection of the app is made; migrations and entities are added by who needs them. */
export function dataSourceOptions(url: string, poolSize: number): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize,
    connectTimeoutMS: 5000,
    applicationName: 'latchkey',
    installExtensions: false,
    synchronize: false,
    migrationsTableName: 'migrations',
    extra: {
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
    },
  };
}
