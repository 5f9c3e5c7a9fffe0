import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { aPhoneNumber, type Answer, harness, type SignedInUser, TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { aSmallPicture, PICTURES, upload } from './helpers/pictures.js';
import { serve, type ServerProcess } from './helpers/server-process.js';
import { Wire } from './helpers/wire.js';

let directory: string;
let database: string;
let wire: Wire;
let processes: ServerProcess[];
beforeEach(async () => {
  [directory, database] = await Promise.all([
    mkdtemp(join(tmpdir(), 'latchkey-killed-')),
    harness.database(),
  ]);
  wire = await Wire.to(database);
  processes = [];
});
afterEach(async () => {
  for (const { child } of processes) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'close');
  }
  await wire.cut();
  await rm(directory, { recursive: true, force: true });
});

async function start(url: string): Promise<TestApp> {
  const environment = { DATABASE_URL: url, STORAGE_DIR: join(directory, 'pictures') };
  const server = await serve({
    directory,
    environment: { ...environment, APP_SECRET: 'a-secret-for-tests-and-for-nothing-else' },
  });
  processes.push(server);
  return TestApp.at(server.url, database);
}

/**
 * Kills the server (-9) when the database has done what a request asked for, and before the server hears of it: no
 * answer can have been sent.
 *
 * @param statement a statement of the request.
 * @param done how the database says that the work is done, in its protocol's CommandComplete.
 */
async function killAt(
  statement: string,
  done: 'UPDATE 1' | 'COMMIT',
  request: () => Promise<Answer>,
): Promise<void> {
  const { child } = processes[0]!;
  const died = once(child, 'exit');
  let isUnderWay = false;
  let isDead = false;
  wire.watch((direction, bytes) => {
    isUnderWay ||= direction === 'query' && bytes.includes(statement);
    if (isUnderWay && direction === 'answer' && bytes.includes(`${done}\0`)) isDead = child.kill('SIGKILL');
    return !isDead;
  });
  await expect(request()).rejects.toThrow('fetch failed');
  await died;
  expect(child.signalCode).toBe('SIGKILL');
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function signIn(app: TestApp): Promise<SignedInUser> {
  const user = await app.signIn();
  // Everything that the server asks from now on has been asked before: it is sent by its name.
  await app.get('/api/auth/profile', user.bearer);
  return user;
}

describe('a server that is killed between the commit and the answer', () => {
  it('of a refresh: the repeat is answered the same successor', async () => {
    const killed = await start(wire.url);
    const { refreshToken } = await signIn(killed);
    const refresh = (on: TestApp) => on.post('/api/auth/refresh', { refresh_token: refreshToken });
    await killAt('session_rotate', 'UPDATE 1', () => refresh(killed));
    const next = await start(database);
    const [one, two] = [await refresh(next), await refresh(next)];
    expect([one.status, two.body.refresh_token]).toEqual([200, one.body.refresh_token]);
    expect((await next.get('/api/auth/profile', bearer(one.body.access_token))).status).toBe(200);
    expect((await next.post('/api/auth/refresh', { refresh_token: one.body.refresh_token })).status).toBe(
      200,
    );
    expect(await next.sql('SELECT counter, revoked_at FROM sessions')).toEqual([
      { counter: 2, revoked_at: null },
    ]);
  });

  it('of a verify: the repeat with its Idempotency-Key is answered the same session', async () => {
    const killed = await start(wire.url);
    const phone = aPhoneNumber();
    await killed.signup(phone);
    const body = { phone_number: phone, otp_code: await killed.code(phone) };
    const headers = { 'idempotency-key': randomUUID() };
    const verify = (on: TestApp) => on.post('/api/auth/verify-otp', body, headers);
    await killAt('session_insert', 'COMMIT', () => verify(killed));
    const next = await start(database);
    const [one, two] = [await verify(next), await verify(next)];
    expect([one.status, two.body.refresh_token]).toEqual([200, one.body.refresh_token]);
    expect(one.body).toMatchObject({ is_new_user: true, user: { phone_number: phone } });
    expect((await next.get('/api/auth/profile', bearer(one.body.access_token))).status).toBe(200);
    expect(await next.sql('SELECT count(*)::integer AS sessions FROM sessions')).toEqual([{ sessions: 1 }]);
    expect(await next.sql('SELECT attempts FROM phone_otps')).toEqual([{ attempts: 1 }]);
  });

  it('of an upload: the pictures are there, with their files, and a repeat adds others', async () => {
    const killed = await start(wire.url);
    const user = await signIn(killed);
    const small = await aSmallPicture();
    await killAt('pictures_insert', 'COMMIT', () => upload(killed, user, [small, small]));
    const next = await start(database);
    const { body } = await next.get(PICTURES, user.bearer);
    expect(body.items).toHaveLength(2);
    for (const { url, thumbnail_url: thumbnailUrl } of body.items) {
      for (const address of [url, thumbnailUrl]) {
        expect((await next.get(new URL(address).pathname)).status).toBe(200);
      }
    }
    expect((await upload(next, user, [small])).body.items).toMatchObject([{ position: 2 }]);
    expect(await files()).toHaveLength(6);
  });

  it('of a deletion: all is erased, the files of pictures too, and the repeat succeeds', async () => {
    const killed = await start(wire.url);
    const user = await signIn(killed);
    expect((await upload(killed, user, [await aSmallPicture()])).status).toBe(201);
    const deleteAccount = (on: TestApp) =>
      on.request('DELETE', '/api/auth/account', { headers: user.bearer });
    await killAt('pictures_delete_all', 'COMMIT', () => deleteAccount(killed));
    const next = await start(database);
    expect((await deleteAccount(next)).status).toBe(204);
    expect(await next.sql('SELECT status, phone_number FROM users')).toEqual([
      { status: 'deleted', phone_number: null },
    ]);
    for (const table of ['user_profiles', 'profile_pictures', 'sessions', 'phone_otps']) {
      expect([table, await next.sql(`SELECT 1 FROM ${table}`)]).toEqual([table, []]);
    }
    await eventually(files, (names) => names.length === 0);
    expect((await next.get('/api/auth/profile', user.bearer)).status).toBe(401);
    await next.signup(user.phoneNumber, { min_code_length: 4 });
  });
});

async function files(): Promise<string[]> {
  const names = await readdir(join(directory, 'pictures'), { recursive: true });
  return names.filter((name) => name.endsWith('.webp'));
}
