import { defineSlice } from '../config/slice.js';
import { flag, optionalUrl, text, wholeNumber } from '../config/variable.js';

export interface DatabaseConfig {
  /** Absent: the embedded PostgreSQL in `embeddedDirectory`. */
  url: string | undefined;
  /** Absent: as `url`. */
  migrationUrl: string | undefined;
  migrateOnBoot: boolean;
  /** Connections at most, a process. */
  poolSize: number;
  /** Data of the embedded PostgreSQL and the generated secret. */
  embeddedDirectory: string;
}

const SCHEMES = ['postgres', 'postgresql'];

export const databaseConfig = defineSlice({
  token: Symbol('DATABASE_CONFIG'),
  title: 'Database',
  variables: {
    DATABASE_URL: optionalUrl(SCHEMES, {
      about: 'PostgreSQL 15 or later. Default: the embedded one; production must set it',
      secret: true,
    }),
    DATABASE_POOL_SIZE: wholeNumber(10, { max: 1000, about: 'Connections at most, a process' }),
    DATABASE_MIGRATION_URL: optionalUrl(SCHEMES, {
      about: 'A role that may change the schema, so that the serving one need not. Default: as DATABASE_URL',
      secret: true,
    }),
    MIGRATE_ON_BOOT: flag(true, 'Bring the schema up to date before serving; false: run `latchkey migrate`'),
    EMBEDDED_DATABASE_DIR: text('.latchkey', {
      about: 'Folder of the embedded PostgreSQL and of the generated secret',
    }),
  },
  build: (values, context): DatabaseConfig => {
    if (context.production && !values.DATABASE_URL) {
      context.fault('DATABASE_URL', 'must be set in production: the embedded PostgreSQL is for development');
    }
    return {
      url: values.DATABASE_URL,
      migrationUrl: values.DATABASE_MIGRATION_URL,
      migrateOnBoot: values.MIGRATE_ON_BOOT,
      poolSize: values.DATABASE_POOL_SIZE,
      embeddedDirectory: values.EMBEDDED_DATABASE_DIR,
    };
  },
});
