import { sessionIdOf } from './helpers/access-token.js';
import { atOnce, harness, problem, type SignedInUser, TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { Wire } from './helpers/wire.js';

let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
  other = await app.replica();
});

const profile = ({ bearer }: SignedInUser, on: TestApp) => on.get('/api/auth/profile', bearer);
const refused = (user: SignedInUser, on: TestApp) =>
  eventually(
    () => profile(user, on),
    ({ status }) => status === 401,
  );
const askedFor = async (user: SignedInUser, on: TestApp): Promise<boolean> => {
  const statements = await harness.statements(() => profile(user, on));
  return statements.includes('session_find_live');
};

/** A user whose session both replicas know to live. */
async function aKnownUser(on: readonly TestApp[] = [app, other]): Promise<SignedInUser> {
  const user = await app.signIn();
  for (const replica of on) {
    expect((await profile(user, replica)).status).toBe(200);
    expect(await askedFor(user, replica)).toBe(false);
  }
  return user;
}

describe('a session that ends', () => {
  it.each<[how: string, end: (user: SignedInUser) => Promise<unknown>]>([
    ['by a logout', ({ bearer }) => app.post('/api/auth/logout', undefined, bearer)],
    [
      'by a logout with its refresh token',
      ({ refreshToken }) => app.post('/api/auth/logout', { refresh_token: refreshToken }),
    ],
    [
      'from the list',
      (user) => app.request('DELETE', `/api/auth/sessions/${sessionIdOf(user)}`, { headers: user.bearer }),
    ],
    [
      'with all others',
      async ({ phoneNumber }) => {
        app.clock.advance(31);
        const { bearer } = await app.signIn(phoneNumber);
        return app.request('DELETE', '/api/auth/sessions', { headers: bearer });
      },
    ],
    [
      'by a stolen token',
      async ({ refreshToken }) => {
        const refresh = (token: string) => app.post('/api/auth/refresh', { refresh_token: token });
        const { body } = await refresh(refreshToken);
        await refresh(body.refresh_token);
        await refresh(refreshToken);
      },
    ],
    [
      'by a statement',
      ({ id }) =>
        app.sql(`UPDATE sessions SET revoked_at = now(), revoked_reason = 'ended' WHERE user_id = $1`, [id]),
    ],
    ['with its row', ({ id }) => app.sql('DELETE FROM sessions WHERE user_id = $1', [id])],
    [
      'with its user, who is suspended',
      ({ id }) => app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [id]),
    ],
    [
      'with its user, who is deleted',
      ({ id }) => app.sql(`UPDATE users SET status = 'deleted', phone_number = NULL WHERE id = $1`, [id]),
    ],
  ])('%s is refused on every replica, though both knew it to live', async (_how, end) => {
    const user = await aKnownUser();
    await end(user);
    for (const replica of [app, other]) {
      expect((await refused(user, replica)).body).toEqual(problem('access_token_invalid'));
    }
  });

  it('is refused at once on the replica that ended it, also for requests under way', async () => {
    for (let round = 0; round < 10; round += 1) {
      const user = await app.signIn();
      const [, logout] = await Promise.all([
        atOnce(10, () => profile(user, other)),
        other.post('/api/auth/logout', undefined, user.bearer),
      ]);
      expect([204, 401]).toContain(logout.status);
      expect((await profile(user, other)).status).toBe(401);
    }
  });
});

describe('what a replica knows of sessions', () => {
  interface LiveSessions {
    moment(): number;
    find(id: string, now: Date): unknown;
    remember(session: object, now: Date, asked: number): void;
    forget(ids: string[]): void;
  }
  const liveSessions = (on: TestApp) =>
    on.started.provider<LiveSessions>('auth/sessions/live-sessions.js', 'LiveSessions');
  const session = (id: string) => ({ id, userId: 'u', roles: [], codeLength: 4 });

  it('is nothing after a restart: what ended in between is not forgotten', async () => {
    const user = await aKnownUser();
    await app.sql(`UPDATE sessions SET revoked_at = now(), revoked_reason = 'ended' WHERE user_id = $1`, [
      user.id,
    ]);
    expect((await profile(user, await app.replica())).status).toBe(401);
  });

  it('does not take in an answer that is older than the last end that was heard of', async () => {
    const live = await liveSessions(other);
    const now = app.clock.now();
    const asked = live.moment();
    live.forget(['a']);
    live.remember(session('a'), now, asked);
    expect(live.find('a', now)).toBeUndefined();
    live.remember(session('a'), now, live.moment());
    expect(live.find('a', now)).toMatchObject({ id: 'a' });
  });

  it('lasts for the life of an access token, and for 100,000 sessions', async () => {
    const live = await liveSessions(other);
    const now = app.clock.now();
    for (let index = 0; index <= 100_000; index += 1) {
      live.remember(session(`s${index}`), now, live.moment());
    }
    expect(live.find('s0', now)).toBeUndefined();
    for (const id of ['s1', 's100000']) expect(live.find(id, now)).toMatchObject({ id });
    expect(live.find('s1', new Date(now.getTime() + 899_000))).toBeDefined();
    expect(live.find('s1', new Date(now.getTime() + 900_000))).toBeUndefined();
  });

  it('says nothing of a session to the token of another user', async () => {
    const [ana, ben] = [await aKnownUser([app]), await aKnownUser([app])];
    const sessions = await app.started.provider<{
      findLive(id: string, userId: string, now: Date): Promise<unknown>;
    }>('auth/sessions/sessions.service.js', 'SessionsService');
    const now = app.clock.now();
    expect(await sessions.findLive(sessionIdOf(ana), ana.id, now)).toBeDefined();
    expect(await sessions.findLive(sessionIdOf(ana), ben.id, now)).toBeUndefined();
  });
});

describe('a replica that may have missed a notification', () => {
  const endedUnheard = `WITH ended AS (
    UPDATE sessions SET revoked_at = now(), revoked_reason = 'ended' WHERE user_id = $1 RETURNING id
  ) SELECT id FROM ended`;

  it('asks for every token once it hears again: what ended meanwhile is refused', async () => {
    const user = await aKnownUser();
    await app.sql(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE application_name = 'latchkey notifications' AND datname = current_database()`,
    );
    await app.sql(endedUnheard, [user.id]);
    for (const replica of [app, other]) await refused(user, replica);
    const next = await app.signIn();
    // It hears again: what it learns is worth remembering, and what it knew before is not.
    await eventually(
      () => askedFor(next, app),
      (isAsked) => !isAsked,
    );
    for (const replica of [app, other]) expect((await profile(user, replica)).status).toBe(401);
  });

  it('finds out by itself that its connection hangs, and asks for every token', async () => {
    const wire = await Wire.to(app.started.database);
    const behind = await TestApp.start({ database: wire.url, clock: app.clock });
    const user = await aKnownUser([app, behind]);
    wire.hang('latchkey notifications');
    await app.sql(endedUnheard, [user.id]);
    await refused(user, behind);
    await wire.mend();
    const next = await app.signIn();
    await eventually(
      () => askedFor(next, behind),
      (isAsked) => !isAsked,
    );
    expect((await profile(user, behind)).status).toBe(401);
    await behind.started.close();
    await wire.cut();
  });

  it('asks for every token behind a pooler that swallows notifications', async () => {
    const wire = await Wire.to(app.started.database);
    // Such a pooler passes on what answers a query, and drops what comes by itself ('A', a NotificationResponse).
    wire.watch((direction, bytes) => direction === 'query' || !bytes.startsWith('A'));
    const behind = await TestApp.start({ database: wire.url, clock: app.clock });
    const user = await app.signIn();
    for (let round = 0; round < 3; round += 1) expect(await askedFor(user, behind)).toBe(true);
    await app.sql(endedUnheard, [user.id]);
    expect((await profile(user, behind)).status).toBe(401);
    await behind.started.close();
    await wire.cut();
  });
});
