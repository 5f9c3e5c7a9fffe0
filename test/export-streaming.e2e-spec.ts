import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { atOnce, expectProblem, type SignedInUser, tally, TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { serve, type ServerProcess } from './helpers/server-process.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const PATH = '/api/auth/account/export';
const exportOf = ({ bearer }: SignedInUser, on = app) => on.get(PATH, bearer);

/** So many entries of the security log of a user. */
function giveEntries(on: TestApp, { id }: SignedInUser, count: number): Promise<unknown> {
  return on.sql(
    `INSERT INTO audit_log (id, at, actor_id, action, object_type, object_id, ip, user_agent, request_id, payload)
     SELECT (lpad(to_hex(n), 12, '0') || '70008000' || substr(md5($1::uuid::text), 1, 12))::uuid, now(), $1, 'signed_in',
            'session', gen_random_uuid(), '203.0.113.7', 'ExampleApp/4.2 (Android 16)', gen_random_uuid(), '{}'
     FROM generate_series(1, $2) AS n`,
    [id, count],
  );
}

/** The temporary files that a process (of Linux) has open. */
async function openFiles(pid: number | string = 'self'): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => '')),
  );
  return links.filter((link) => /\/latchkey-[0-9a-f]{32} \(deleted\)$/.test(link)).length;
}

const noneAreOpen = () => eventually(openFiles, (count) => count === 0);

/** Asks for an export, and reads nothing of it but that it has begun. */
async function begunExport({ bearer }: SignedInUser): Promise<Socket> {
  const { hostname, port } = new URL(app.started.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer.authorization}\r\n\r\n`);
  const begun = await new Promise<Buffer>((resolve, reject) => {
    socket.once('error', reject).once('data', resolve);
  });
  socket.pause();
  expect(begun.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
  return socket;
}

describe('an export', () => {
  it('says how long it is, and holds lists that are longer than a page, each item once', async () => {
    const ana = await app.signIn();
    // With that of the sign-in and that of the export, just two pages.
    await giveEntries(app, ana, 998);
    await app.sql(
      `INSERT INTO sessions (id, user_id, salt, code_length, ip, authenticated_at, created_at, last_used_at, expires_at,
                             revoked_at, revoked_reason)
       SELECT gen_random_uuid(), $1, '\\x00', 4, '203.0.113.7', now(), now(), now(), now(), now(), 'ended'
       FROM generate_series(1, 1200)`,
      [ana.id],
    );
    const { headers, body } = await exportOf(ana);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(Number(headers.get('content-length'))).toBe(Buffer.byteLength(JSON.stringify(body)));
    for (const [list, count] of [
      ['activity', 1000],
      ['sessions', 1201],
      ['codes', 1],
    ] as const) {
      const ids: string[] = body[list].map(({ id }: { id: string }) => id);
      expect([list, ids.length, new Set(ids).size]).toEqual([list, count, count]);
      const sorted = [...ids].sort();
      expect(ids).toEqual(list === 'activity' ? sorted.reverse() : sorted);
    }
  });

  it('to a client that reads slowly holds neither a connection of the pool nor a snapshot', async () => {
    const ana = await app.signIn();
    await giveEntries(app, ana, 40_000);
    // One more than there are connections.
    const sockets: Socket[] = [];
    for (let index = 0; index < 6; index += 1) sockets.push(await begunExport(ana));
    expect(await openFiles()).toBe(6);
    expect((await app.get('/api/auth/profile', ana.bearer)).status).toBe(200);
    const busy = await app.sql(
      `SELECT state, query FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'latchkey'
         AND (state LIKE 'idle in transaction%' OR backend_xmin IS NOT NULL)`,
    );
    expect(busy).toEqual([]);
    for (const socket of sockets) socket.destroy();
    await noneAreOpen();
  });

  it('leaves no file behind: read, broken off, or only asked about', async () => {
    const ana = await app.signIn();
    await giveEntries(app, ana, 40_000);
    expect((await exportOf(ana)).status).toBe(200);
    await noneAreOpen();
    (await begunExport(ana)).destroy();
    await noneAreOpen();
    expect((await app.request('HEAD', PATH, { headers: ana.bearer })).status).toBe(200);
    await noneAreOpen();
    // Gone before there is an answer.
    const gone = fetch(`${app.started.url}${PATH}`, { headers: ana.bearer, signal: AbortSignal.timeout(20) });
    await expect(gone).rejects.toThrow();
    const done = `SELECT count(*)::int FROM audit_log WHERE actor_id = $1 AND action = 'account_exported'`;
    await eventually(
      () => app.sql<{ count: number }>(done, [ana.id]),
      ([row]) => row?.count === 4,
    );
    await noneAreOpen();
  });

  it('that fails half-way is refused as ever, and is not written down as done', async () => {
    const ana = await app.signIn();
    await giveEntries(app, ana, 5000);
    await app.sql('ALTER TABLE phone_otps RENAME TO mislaid');
    const answer = await exportOf(ana);
    await app.sql('ALTER TABLE mislaid RENAME TO phone_otps');
    expectProblem(answer, { status: 500, code: 'internal_error' });
    expect(answer.headers.get('content-disposition')).toBeNull();
    await noneAreOpen();
    const { body } = await app.get('/api/auth/activity?limit=1', ana.bearer);
    expect(body.items).toEqual([expect.objectContaining({ action: 'signed_in' })]);
  });

  it('waits for the one of the same user before it, so that nobody takes all connections', async () => {
    const ana = await app.signIn();
    const { exports, profile } = await app.started.transaction(async (transaction) => {
      await transaction.query('LOCK TABLE phone_otps IN ACCESS EXCLUSIVE MODE');
      const under = atOnce(8, () => exportOf(ana));
      await eventually(
        () => app.sql('SELECT pid FROM pg_locks WHERE NOT granted'),
        (waiting) => waiting.length > 0,
      );
      // Of five connections one has the lock, and one waits for it.
      const read = await Promise.all([1, 2, 3].map(() => app.get('/api/auth/profile', ana.bearer)));
      return { exports: under, profile: read };
    });
    expect(tally(profile)).toEqual({ 200: 3 });
    expect(tally(await exports)).toEqual({ 200: 8 });
  });
});

describe('a server', () => {
  let directory: string;
  let database: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
    database = await app.freshDatabase();
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const start = (more: Record<string, string> = {}, flags: string[] = []): Promise<ServerProcess> =>
    serve({
      flags,
      environment: {
        DATABASE_URL: database,
        APP_SECRET: 'a-secret-for-tests-and-for-nothing-else',
        SMS_MODE: 'test',
        STORAGE_DIR: directory,
        ...more,
      },
      directory,
    });

  /** The most memory that a process (of Linux) has had so far, in MiB. */
  async function peakOf({ child }: ServerProcess): Promise<number> {
    const [, kilobytes] =
      /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) / 1024;
  }

  it('takes hardly more memory for an export of two hundred thousand entries than for a small one', async () => {
    // A heap that is small, so that what counts is what the export needs, and not how seldom V8 tidies up.
    const server = await start({}, ['--max-old-space-size=112']);
    try {
      const own = TestApp.at(server.url, database);
      const [ana, ben] = [await own.signIn(), await own.signIn()];
      await giveEntries(own, ana, 200_000);
      await giveEntries(own, ben, 2000);
      for (let round = 0; round < 10; round += 1) expect((await exportOf(ben, own)).status).toBe(200);
      const before = await peakOf(server);
      const { status, body } = await exportOf(ana, own);
      expect([status, body.activity.length]).toEqual([200, 200_002]);
      const grown = (await peakOf(server)) - before;
      expect(grown).toBeLessThan(60);
    } finally {
      server.child.kill('SIGKILL');
    }
  });

  it('without room for the file answers that it cannot at the moment', async () => {
    const server = await start({ TMPDIR: join(directory, 'missing') });
    try {
      const own = TestApp.at(server.url, database);
      const ana = await own.signIn();
      expectProblem(await exportOf(ana, own), { status: 503, code: 'service_unavailable' });
      expect((await own.get('/api/auth/profile', ana.bearer)).status).toBe(200);
    } finally {
      server.child.kill('SIGKILL');
    }
  });
});
