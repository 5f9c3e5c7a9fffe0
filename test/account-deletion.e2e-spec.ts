import {
  aPhoneNumber,
  atOnce,
  expectProblem,
  problem,
  type SignedInUser,
  tally,
  TestApp,
} from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { aSmallPicture, upload } from './helpers/pictures.js';
import { aProfile } from './helpers/profile.js';

let app: TestApp;
let small: Buffer;
beforeAll(async () => {
  app = await TestApp.start();
  small = await aSmallPicture();
});

const deleteAccount = ({ bearer }: SignedInUser, on = app) =>
  on.request('DELETE', '/api/auth/account', { headers: bearer });
const profile = ({ bearer }: SignedInUser, on = app) => on.get('/api/auth/profile', bearer);

/** A user with everything that a user can have. @returns the paths of their pictures too. */
async function aFullUser(): Promise<SignedInUser & { pictures: string[] }> {
  const user = await app.signIn();
  const { body } = await upload(app, user, [small, small]);
  await app.post('/api/auth/complete-profile', { ...aProfile(), bio: 'Trail runner.' }, user.bearer);
  await app.request('PUT', '/api/auth/profile/coordinates', {
    body: { latitude: 38.7, longitude: -9.1 },
    headers: user.bearer,
  });
  app.clock.advance(31);
  await app.signup(user.phoneNumber);
  const urls: { url: string; thumbnail_url: string }[] = body.items;
  return {
    ...user,
    pictures: urls.flatMap((item) => [item.url, item.thumbnail_url].map((url) => new URL(url).pathname)),
  };
}

/** How many rows of each table know the user, by any column that holds a user's id. */
async function rowsOf(userId: string): Promise<Record<string, number>> {
  const columns = await app.sql<{ table_name: string; column_name: string }>(
    `SELECT table_name, column_name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name IN ('user_id', 'actor_id', 'object_id')
        OR (table_schema = 'public' AND table_name = 'users' AND column_name = 'id')`,
  );
  const counts: Record<string, number> = {};
  for (const { table_name: table, column_name: column } of columns) {
    const [row] = await app.sql<{ count: number }>(
      `SELECT count(*)::integer AS count FROM ${table} WHERE ${column} = $1`,
      [userId],
    );
    if (row!.count > 0) counts[table] = (counts[table] ?? 0) + row!.count;
  }
  return counts;
}

describe('DELETE /api/auth/account', () => {
  it('erases all but the id, and the audit log under it', async () => {
    const user = await aFullUser();
    const before = await rowsOf(user.id);
    expect(Object.keys(before).sort()).toEqual(
      [
        'audit_log',
        'location_points',
        'profile_pictures',
        'sessions',
        'user_event_interests',
        'user_profiles',
        'users',
      ].sort(),
    );
    const answer = await deleteAccount(user);
    expect([answer.status, answer.body]).toEqual([204, '']);
    const after = await rowsOf(user.id);
    expect(Object.keys(after).sort()).toEqual(['audit_log', 'users']);
    const [row] = await app.sql('SELECT * FROM users WHERE id = $1', [user.id]);
    expect(row).toEqual({
      id: user.id,
      phone_number: null,
      status: 'deleted',
      roles: [],
      created_at: expect.anything(),
      last_sign_in_at: null,
      phone_changes_asked_at: [],
      suspended_at: null,
      suspended_by: null,
      suspension_reason: null,
      uploads_at: [],
      is_test: false,
    });
    expect(await app.sql('SELECT id FROM phone_otps WHERE phone_number = $1', [user.phoneNumber])).toEqual(
      [],
    );
  });

  it('leaves ids alone in the audit log: no address, no user agent', async () => {
    const user = await app.signIn();
    for (const agent of ['ExampleApp/4.2', 'curl']) {
      await app.post('/api/auth/refresh', { refresh_token: user.refreshToken }, { 'user-agent': agent });
    }
    await deleteAccount(user);
    const entries = await app.sql(
      'SELECT action, actor_id, ip, user_agent FROM audit_log WHERE $1 IN (actor_id, object_id) ORDER BY id',
      [user.id],
    );
    const nowhere = { ip: null, user_agent: null };
    expect(entries).toEqual([
      { action: 'signed_in', actor_id: user.id, ...nowhere },
      { action: 'refresh_repeated', actor_id: null, ...nowhere },
      { action: 'account_deleted', actor_id: user.id, ...nowhere },
    ]);
  });

  it('deletes the pictures from the store too: their URLs answer 404, and their files go', async () => {
    const user = await aFullUser();
    for (const path of user.pictures) expect((await app.get(path)).status).toBe(200);
    await deleteAccount(user);
    for (const path of user.pictures) expect((await app.get(path)).status).toBe(404);
    const storage = await app.started.provider<{ get(key: string): Promise<unknown> }>(
      'platform/storage/object-storage.js',
      'OBJECT_STORAGE',
    );
    for (const path of user.pictures) {
      await eventually(
        () => storage.get(path.split('/').at(-1)!),
        (found) => found === undefined,
      );
    }
  });

  it('deletes them once the store is back, where it was away', async () => {
    let isAway = true;
    const deleted: string[] = [];
    const storage = {
      put: () => Promise.resolve(),
      get: () => Promise.resolve(undefined),
      list: async function* () {},
      delete: (keys: string[]) => {
        if (isAway) {
          isAway = false;
          return Promise.reject(new Error('away'));
        }
        deleted.push(...keys);
        return Promise.resolve();
      },
    };
    const database = await app.freshDatabase();
    const withStore = await TestApp.start({ database, storage });
    const user = await withStore.signIn();
    const { body } = await upload(withStore, user, [small]);
    expect((await deleteAccount(user, withStore)).status).toBe(204);
    await eventually(
      () => Promise.resolve(deleted.length),
      (length) => length === 2,
    );
    expect(new URL(body.items[0].url).pathname.split('/').at(-1)).toBe(deleted[0]);
  });

  it('ends every session, on every replica', async () => {
    const other = await app.replica();
    const first = await app.signIn();
    app.clock.advance(31);
    const second = await app.signIn(first.phoneNumber);
    for (const replica of [app, other]) expect((await profile(first, replica)).status).toBe(200);
    await deleteAccount(second);
    for (const user of [first, second]) {
      expect((await profile(user)).body).toEqual(problem('access_token_invalid'));
      const answer = await app.post('/api/auth/refresh', { refresh_token: user.refreshToken });
      expect(answer.body).toEqual(problem('refresh_token_invalid'));
      await eventually(
        () => profile(user, other),
        ({ status }) => status === 401,
      );
    }
  });

  it('frees the number at once for an account of its own', async () => {
    const user = await aFullUser();
    await deleteAccount(user);
    app.clock.advance(31);
    await app.signup(user.phoneNumber);
    const { body } = await app.verify(user.phoneNumber, await app.code(user.phoneNumber));
    expect(body).toMatchObject({ is_new_user: true, needs_profile_completion: true });
    expect(body.user.id).not.toBe(user.id);
    expect(body.user).toMatchObject({ name: null, profile_pictures: [], event_interests: [] });
  });

  it('does not reset the wait of the number', async () => {
    const user = await app.signIn();
    expect((await app.signup(user.phoneNumber)).status).toBe(429);
    await deleteAccount(user);
    expect((await app.signup(user.phoneNumber)).body).toEqual(
      problem('otp_cooldown', { retry_after: expect.any(Number) }),
    );
  });

  it('is not to be found by others any more', async () => {
    const [ana, ben] = [await aFullUser(), await app.signIn()];
    expect((await app.get(`/api/users/${ana.id}`, ben.bearer)).status).toBe(200);
    await deleteAccount(ana);
    expect((await app.get(`/api/users/${ana.id}`, ben.bearer)).status).toBe(404);
    expect((await app.get(`/api/users?ids=${ana.id}`, ben.bearer)).body).toEqual({ items: [] });
  });

  it('needs a sign-in within the last ten minutes; a refresh is none', async () => {
    const user = await app.signIn();
    app.clock.advance(600);
    const { body } = await app.post('/api/auth/refresh', { refresh_token: user.refreshToken });
    const refreshed = { ...user, bearer: { authorization: `Bearer ${body.access_token}` } };
    for (const each of [user, refreshed]) {
      expectProblem(await deleteAccount(each), { status: 403, code: 'reauthentication_required' });
    }
    expect((await profile(refreshed)).status).toBe(200);
    expect((await deleteAccount(await app.signIn(user.phoneNumber))).status).toBe(204);
  });

  it('may be repeated where its answer was lost, as long as its token has not expired', async () => {
    const user = await app.signIn();
    const other = await app.replica();
    await deleteAccount(user);
    expect((await deleteAccount(user)).status).toBe(204);
    expect((await deleteAccount(user, other)).status).toBe(204);
    app.clock.advance(700);
    expect((await deleteAccount(user)).status).toBe(204);
    // Nothing else opens to that token.
    for (const path of ['/api/auth/profile', '/api/auth/account/export', '/api/auth/activity']) {
      expect((await app.get(path, user.bearer)).status).toBe(401);
    }
    app.clock.advance(300);
    expect((await deleteAccount(user)).body).toEqual(problem('access_token_expired'));
    expect(
      await app.sql(`SELECT 1 FROM audit_log WHERE actor_id = $1 AND action = 'account_deleted'`, [user.id]),
    ).toHaveLength(1);
  });

  it('does not open to the token of a session that was ended otherwise', async () => {
    const user = await app.signIn();
    await app.post('/api/auth/logout', undefined, user.bearer);
    expect((await deleteAccount(user)).status).toBe(401);
    expect((await app.sql('SELECT status FROM users WHERE id = $1', [user.id]))[0]).toEqual({
      status: 'active',
    });
  });

  it('happens once for twenty requests at once, on two replicas', async () => {
    const other = await app.replica();
    const user = await aFullUser();
    const answers = await atOnce(20, (index) => deleteAccount(user, index % 2 ? app : other));
    expect(tally(answers)).toEqual({ 204: 20 });
    expect(
      await app.sql(`SELECT 1 FROM audit_log WHERE actor_id = $1 AND action = 'account_deleted'`, [user.id]),
    ).toHaveLength(1);
  });

  it('never deadlocks with uploads, changes and sign-ins, and leaves nothing of them behind', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = await aFullUser();
      const code = await app.code(user.phoneNumber);
      const [deleted, ...others] = await Promise.all([
        deleteAccount(user),
        ...(await atOnce(3, () => Promise.resolve())).map(() => upload(app, user, [small])),
        app.request('PATCH', '/api/auth/profile', {
          body: { event_interests: ['outdoors'] },
          headers: user.bearer,
        }),
        app.verify(user.phoneNumber, code),
      ]);
      expect(deleted.status).toBe(204);
      expect(others.filter(({ status }) => status >= 500)).toEqual([]);
      expect(Object.keys(await rowsOf(user.id)).sort()).toEqual(['audit_log', 'users']);
    }
  });

  it('never deadlocks with a sign-in of the same user', async () => {
    const users = await atOnce(40, () => app.signIn());
    app.clock.advance(31);
    const codes = await Promise.all(
      users.map(async ({ phoneNumber }) => {
        await app.signup(phoneNumber);
        return app.code(phoneNumber);
      }),
    );
    const answers = await Promise.all(
      users.flatMap((user, index) => [app.verify(user.phoneNumber, codes[index]!), deleteAccount(user)]),
    );
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  });

  it('leaves an account of nobody else without anything', async () => {
    const [ana, ben] = [await aFullUser(), await aFullUser()];
    const before = await rowsOf(ben.id);
    await deleteAccount(ana);
    expect(await rowsOf(ben.id)).toEqual(before);
    expect((await app.verify(ben.phoneNumber, await app.code(ben.phoneNumber))).status).toBe(200);
  });

  it('asks for a token', async () => {
    expect((await app.request('DELETE', '/api/auth/account')).status).toBe(401);
    expect((await app.signup(aPhoneNumber())).status).toBe(200);
  });
});
