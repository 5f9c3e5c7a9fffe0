import { harness, TestApp } from './helpers/app.js';
import { latchkey } from './helpers/command-line.js';

/** Everything that a migration can make, by name: columns, constraints, indexes, triggers, functions. */
async function schemaOf(database: string): Promise<unknown> {
  const query = (text: string) => harness.sql(database, text);
  return {
    columns: await query(
      `SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations'
       ORDER BY table_name, column_name`,
    ),
    constraints: await query(
      `SELECT conrelid::regclass::text AS "table", conname, pg_get_constraintdef(oid) AS definition
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'migrations'
         AND contype <> 'n'
       ORDER BY 1, 2`,
    ),
    indexes: await query(
      `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migrations' ORDER BY 1`,
    ),
    triggers: await query(
      `SELECT tgname, pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`,
    ),
    functions: await query(
      // An extension stays: others may use it by then.
      `SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
         AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
       ORDER BY 1`,
    ),
  };
}

describe('latchkey migrate', () => {
  it('makes the schema, takes all of it back, and makes the same again', async () => {
    const database = await harness.database({ empty: true });
    const empty = await schemaOf(database);
    expect(await latchkey(database, 'migrate')).toMatch(/^Ran \w+/);
    const full = await schemaOf(database);
    expect(full).not.toEqual(empty);
    let reverted = '';
    while (!reverted.startsWith('No migration')) {
      reverted = await latchkey(database, 'migrate', '--revert');
      expect(reverted).toMatch(/^(Reverted \w+|No migration is left to revert)\n$/);
    }
    expect(await schemaOf(database)).toEqual(empty);
    await latchkey(database, 'migrate');
    expect(await schemaOf(database)).toEqual(full);
    expect(await latchkey(database, 'migrate')).toBe('The schema is up to date\n');
  });

  it('loses no counts where counters have one row again', async () => {
    const database = await harness.database();
    await harness.sql(
      database,
      `INSERT INTO send_counters (scope, key, span, starts_at, country, slot, sends, verified)
       SELECT 'country', key, 60, '2026-03-01', '', slot, 10, slot
       FROM (VALUES ('BR', 0), ('BR', 3), ('BR', 7), ('PT', 5), ('PT', 6)) AS counted (key, slot)`,
    );
    expect(await latchkey(database, 'migrate', '--revert')).toMatch(/^Reverted AddressQueues/);
    expect(
      await harness.sql(database, 'SELECT key, sends, verified FROM send_counters ORDER BY key'),
    ).toEqual([
      { key: 'BR', sends: 30, verified: 10 },
      { key: 'PT', sends: 20, verified: 11 },
    ]);
    await latchkey(database, 'migrate');
    expect(await harness.sql(database, 'SELECT DISTINCT slot FROM send_counters')).toEqual([{ slot: 0 }]);
  });

  it('is done by one of four processes at once, and all end well', async () => {
    const database = await harness.database({ empty: true });
    const said = await Promise.all([1, 2, 3, 4].map(() => latchkey(database, 'migrate')));
    expect(said.filter((text) => text.includes('Ran '))).toHaveLength(1);
    expect(said.filter((text) => text.includes('The schema is up to date'))).toHaveLength(3);
  });
});

describe('starting the app', () => {
  it('migrates an empty database once for two replicas, and both serve', async () => {
    const database = await harness.database({ empty: true });
    const replicas = await Promise.all([1, 2].map(() => TestApp.start({ database })));
    const ready = await Promise.all(replicas.map((replica) => replica.get('/health/ready')));
    expect(ready.map(({ status }) => status)).toEqual([200, 200]);
    const names = await harness.sql<{ name: string }>(database, 'SELECT name FROM migrations');
    expect(new Set(names.map(({ name }) => name)).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(0);
  });

  it('refuses a database without the schema where it may not migrate, and says what to do', async () => {
    const database = await harness.database({ empty: true });
    const start = TestApp.start({ database, env: { MIGRATE_ON_BOOT: 'false' } });
    await expect(start).rejects.toThrow(/run `latchkey migrate` first/);
  });

  it('serves where another process migrated', async () => {
    const app = await TestApp.start({ env: { MIGRATE_ON_BOOT: 'false' } });
    expect((await app.get('/health/ready')).status).toBe(200);
  });
});

describe('the entities', () => {
  it('say the same as the schema', async () => {
    const database = await harness.database();
    expect(await harness.pendingSchemaChanges(database)).toEqual([]);
    // And the comparison sees what differs.
    await harness.sql(
      database,
      'ALTER TABLE users ALTER COLUMN status DROP DEFAULT, ADD COLUMN nickname text',
    );
    const changes = (await harness.pendingSchemaChanges(database)).join('\n');
    expect(changes).toMatch(/"nickname"/);
    expect(changes).toMatch(/"status" SET DEFAULT/);
  });
});

describe('the constraints', () => {
  it('have names of our own', async () => {
    const app = await TestApp.start();
    const rows = await app.sql<{ conname: string; table: string }>(
      `SELECT conname, conrelid::regclass::text AS "table" FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f', 'c')
         AND conrelid::regclass::text <> 'migrations'`,
    );
    expect(rows.length).toBeGreaterThan(10);
    for (const { conname, table } of rows) {
      expect(conname).toMatch(new RegExp(`^${table}_(\\w+_)?(pkey|key|fkey|check)$`));
    }
  });
});
