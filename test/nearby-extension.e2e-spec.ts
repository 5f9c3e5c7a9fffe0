import { randomBytes } from 'node:crypto';

import { harness, TestApp } from './helpers/app.js';
import { latchkey } from './helpers/command-line.js';
import { eventually } from './helpers/eventually.js';
import { readPage } from './helpers/walk.js';
import { allPages, LISBON, refusalOf, settle, usersOf } from './helpers/nearby.js';

const QUESTION = { ...LISBON, radius_m: 1000 };
// A name that needs its quotes.
const SCHEMA = '"Ext ""1"';

const roles: { database: string; name: string }[] = [];
afterEach(() => harness.closeApps());
afterAll(async () => {
  for (const { database, name } of roles) {
    await harness.sql(database, `DROP OWNED BY ${name}`);
    await harness.sql(database, `DROP ROLE ${name}`);
  }
});

/** A role that may use every table, and change nothing of the schema. */
async function aServingRole(database: string): Promise<{ name: string; url: string }> {
  const name = `latchkey_test_${randomBytes(6).toString('hex')}`;
  await harness.sql(database, `CREATE ROLE ${name} LOGIN PASSWORD 'of-a-test'`);
  roles.push({ database, name });
  await harness.sql(database, `GRANT USAGE ON SCHEMA latchkey_jobs TO ${name}`);
  await harness.sql(
    database,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, latchkey_jobs TO ${name}`,
  );
  const url = new URL(database);
  url.username = name;
  url.password = 'of-a-test';
  return { name, url: url.href };
}

/** A database of the newest schema, but without the extension. */
async function withoutExtension(): Promise<string> {
  const database = await harness.database();
  await harness.sql(database, 'DROP EXTENSION cube CASCADE');
  return database;
}

async function withExtensionElsewhere(): Promise<string> {
  const database = await withoutExtension();
  await harness.sql(database, `CREATE SCHEMA ${SCHEMA}`);
  await harness.sql(database, `CREATE EXTENSION cube SCHEMA ${SCHEMA}`);
  return database;
}

const warningsOf = ({ started }: TestApp) =>
  started.log.lines.filter((line) => /cannot be searched/.test(line));

describe('without the extension cube', () => {
  it('all but the search works, and an operator is told what to do: then it works without a restart', async () => {
    const database = await withoutExtension();
    const app = await TestApp.start({ database, env: { MIGRATE_ON_BOOT: 'false' } });
    expect(warningsOf(app)).toEqual([
      expect.stringMatching(/extension cube is missing.*`CREATE EXTENSION cube`.*`latchkey migrate`/),
    ]);
    const users = await usersOf(app);
    const ana = await app.signIn();
    const put = { body: LISBON, headers: ana.bearer };
    expect((await app.request('PUT', '/api/auth/profile/coordinates', put)).status).toBe(204);
    const missing = await refusalOf(users.findNear(QUESTION));
    expect([missing.code, missing.cause?.message]).toEqual([
      'service_unavailable',
      expect.stringContaining('the PostgreSQL extension cube is missing'),
    ]);
    expect((await refusalOf(users.findNear({}))).code).toBe('validation_failed');

    await harness.sql(database, 'CREATE EXTENSION cube');
    const unindexed = await refusalOf(users.findNear(QUESTION));
    expect([unindexed.code, unindexed.cause?.message]).toEqual([
      'service_unavailable',
      'the index user_profiles_place_idx is missing: run `latchkey migrate`',
    ]);
    expect(await latchkey(database, 'migrate')).toBe('Ran user_profiles_place_idx\n');
    const [ben] = await settle(database, [LISBON]);
    expect((await users.findNear(QUESTION)).items).toMatchObject([{ userId: ben!.id, distance_m: 100 }]);
    expect(warningsOf(await TestApp.start({ database }))).toEqual([]);
  });

  it('the start makes it', async () => {
    const database = await withoutExtension();
    const app = await TestApp.start({ database });
    expect(warningsOf(app)).toEqual([]);
    expect((await (await usersOf(app)).findNear(QUESTION)).items).toEqual([]);
  });

  it('a role that may not make it migrates and serves all the same, and says why', async () => {
    const database = await withoutExtension();
    const { url } = await aServingRole(database);
    expect(await latchkey(url, 'migrate')).toMatch(
      /^extension cube could not be made: permission denied.*\nUsers nearby cannot be searched: .*`CREATE EXTENSION cube`.*\nThe schema is up to date\n$/,
    );
    const app = await TestApp.start({ database: url });
    expect(app.started.log.lines.filter((line) => /could not be made/.test(line))).toHaveLength(1);
    expect((await app.signIn()).id).toEqual(expect.any(String));
    expect((await refusalOf((await usersOf(app)).findNear(QUESTION))).code).toBe('service_unavailable');
  });

  it('that comes back in another place is found there', async () => {
    const database = await harness.database();
    const app = await TestApp.start({ database });
    const users = await usersOf(app);
    await settle(database, [LISBON]);
    expect((await users.findNear(QUESTION)).items).toHaveLength(1);
    await harness.sql(database, `CREATE SCHEMA ${SCHEMA}`);
    await harness.sql(database, `ALTER EXTENSION cube SET SCHEMA ${SCHEMA}`);
    await eventually(
      () => users.findNear(QUESTION).catch(() => undefined),
      (page) => page?.items.length === 1,
    );
    await harness.sql(database, 'DROP EXTENSION cube CASCADE');
    const refusal = await refusalOf(users.findNear(QUESTION));
    expect([refusal.code, refusal.cause]).toEqual(['service_unavailable', expect.anything()]);
  });
});

describe('with the extension in another schema', () => {
  it('the search works, page after page', async () => {
    const database = await withExtensionElsewhere();
    const app = await TestApp.start({ database });
    expect(warningsOf(app)).toEqual([]);
    const places = await settle(
      database,
      Array.from({ length: 12 }, () => LISBON),
    );
    const items = await allPages(await usersOf(app), { ...QUESTION, limit: 5 });
    expect(items.map(({ userId }) => userId)).toEqual(places.map(({ id }) => id).sort());
  });

  it('a role that may not use that schema is told what to grant', async () => {
    const database = await withExtensionElsewhere();
    await latchkey(database, 'migrate');
    const { name, url } = await aServingRole(database);
    const app = await TestApp.start({ database: url, env: { MIGRATE_ON_BOOT: 'false' } });
    const users = await usersOf(app);
    const refusal = await refusalOf(users.findNear(QUESTION));
    expect(refusal.cause?.message).toContain(`GRANT USAGE ON SCHEMA ${SCHEMA}`);
    expect(warningsOf(app)).toHaveLength(1);
    // It need not use it to move.
    const ana = await app.signIn();
    const put = { body: LISBON, headers: ana.bearer };
    expect((await app.request('PUT', '/api/auth/profile/coordinates', put)).status).toBe(204);
    await harness.sql(database, `GRANT USAGE ON SCHEMA ${SCHEMA} TO ${name}`);
    expect((await users.findNear(QUESTION)).items).toEqual([]);
  });

  it('the index is made again from its definition where nothing is on the search path, as a dump does', async () => {
    const database = await withExtensionElsewhere();
    await latchkey(database, 'migrate');
    await settle(database, [LISBON]);
    await harness.sql(
      database,
      `DO $$
       DECLARE definition text;
       BEGIN
         PERFORM set_config('search_path', '', true);
         definition := pg_get_indexdef('public.user_profiles_place_idx'::regclass);
         DROP INDEX public.user_profiles_place_idx;
         EXECUTE definition;
         UPDATE public.user_profiles SET latitude = 1;
       END $$`,
    );
    expect(await latchkey(database, 'migrate')).toBe('The schema is up to date\n');
  });
});

describe('the index', () => {
  it('that an owner makes beforehand as the documents say is the one that is made otherwise', async () => {
    const database = await harness.database();
    const definition = () =>
      harness.sql(database, `SELECT pg_get_indexdef('user_profiles_place_idx'::regclass) AS definition`);
    const made = await definition();
    await harness.sql(database, 'DROP INDEX user_profiles_place_idx');
    const [, documented = ''] =
      /```sql\n(CREATE INDEX CONCURRENTLY .*?)```/s.exec(await readPage('docs/OPERATIONS.md')) ?? [];
    await harness.sql(database, documented);
    expect(await definition()).toEqual(made);
    expect(await latchkey(database, 'migrate')).toBe('The schema is up to date\n');
  });

  it('that is not complete is told, and not touched', async () => {
    const database = await harness.database();
    await settle(database, [LISBON]);
    await harness.sql(
      database,
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'user_profiles_place_idx'::regclass`,
    );
    const said = await latchkey(database, 'migrate');
    expect(said).toMatch(
      /^Users nearby cannot be searched: the index user_profiles_place_idx is not complete/,
    );
    expect(said).toMatch(/The schema is up to date\n$/);
  });
});
