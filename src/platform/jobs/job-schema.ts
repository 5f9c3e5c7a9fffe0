import { Logger as WorkerLogger, runMigrations } from 'graphile-worker';
import pg from 'pg';

import { OperatorError } from '../operator-error.js';

/** Where graphile-worker keeps its tables: not in its usual place, which a host may use for jobs of its own. */
export const JOB_SCHEMA = 'latchkey_jobs';

/** The newest migration of the graphile-worker in use. */
const REVISION = 18;

/**
 * Brings the tables of graphile-worker up to date, and opens them to every role that is granted their use.
 *
 * @returns what it ran.
 */
export async function migrateJobSchema(client: pg.ClientBase, url: string): Promise<string[]> {
  const isCurrent = (await revisionOf(client)) === REVISION;
  if (!isCurrent) {
    const pgPool = new pg.Pool({ connectionString: url, max: 1, application_name: 'latchkey migrate' });
    await runMigrations({ pgPool, schema: JOB_SCHEMA, logger: silent }).finally(() => pgPool.end());
  }
  await client.query(OPEN_TABLES);
  return isCurrent ? [] : [`${JOB_SCHEMA}${REVISION}`];
}

const silent = new WorkerLogger(() => () => undefined);

// Row level security without a policy hides every row from all but the owner. What a role may do is said by GRANT.
// Only where it is on: the change waits for an exclusive lock.
const OPEN_TABLES = `
  DO $$
  DECLARE target regclass;
  BEGIN
    FOR target IN
      SELECT oid FROM pg_class WHERE relnamespace = '${JOB_SCHEMA}'::regnamespace AND relkind = 'r' AND relrowsecurity
    LOOP
      EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', target);
    END LOOP;
  END $$`;

/** @throws {OperatorError} where the tables of graphile-worker are not there, too old, or closed to this role. */
export async function requireJobSchema(client: pg.ClientBase): Promise<void> {
  const revision = await revisionOf(client);
  if (revision === undefined || revision < REVISION) {
    throw new OperatorError(
      `The database lacks revision ${REVISION} of the schema ${JOB_SCHEMA}: run \`latchkey migrate\` first.`,
    );
  }
  const { rows } = await client.query<{ may_use: boolean }>(MAY_USE);
  if (!rows[0]?.may_use) throw closedToRole();
}

const MAY_USE = `
  SELECT bool_and(has_table_privilege(c.oid, privilege) AND NOT row_security_active(c.oid)) AS may_use
  FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
  WHERE c.relnamespace = '${JOB_SCHEMA}'::regnamespace AND c.relkind = 'r' AND c.relname LIKE '\\_private\\_%'`;

const MISSING = new Set(['3F000', '42P01']);
const INSUFFICIENT_PRIVILEGE = '42501';

async function revisionOf(client: pg.ClientBase): Promise<number | undefined> {
  try {
    const { rows } = await client.query<{ revision: number | null }>(
      `SELECT max(id) AS revision FROM ${JOB_SCHEMA}.migrations`,
    );
    return rows[0]?.revision ?? undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === INSUFFICIENT_PRIVILEGE) throw closedToRole();
    if (code !== undefined && MISSING.has(code)) return undefined;
    throw error;
  }
}

function closedToRole(): OperatorError {
  return new OperatorError(
    `The role of DATABASE_URL may not use the schema ${JOB_SCHEMA}: grant it USAGE on the schema, and SELECT, INSERT, ` +
      'UPDATE, DELETE on its tables (docs/OPERATIONS.md, "Migrations").',
  );
}
