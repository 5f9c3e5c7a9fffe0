import { sessionIdOf } from './helpers/access-token.js';
import { sessionsOf } from './helpers/sessions.js';
import { aPhoneNumber, atOnce, problem, type SignedInUser, tally, TestApp } from './helpers/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const refresh = (refreshToken: string) => app.post('/api/auth/refresh', { refresh_token: refreshToken });
const profile = (user: SignedInUser) => app.get('/api/auth/profile', user.bearer);

describe('GET /api/auth/sessions', () => {
  it('lists the sessions that live, the most recently used first, and which is this one', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    const { body: first } = await app.verify(phone, await app.code(phone), { device_name: 'Pixel 9' });
    app.clock.advance(31);
    const second = await app.signIn(phone);
    app.clock.advance(31);
    const third = await app.signIn(phone);
    await app.post('/api/auth/logout', undefined, third.bearer);
    await app.request('POST', '/api/auth/refresh', {
      body: { refresh_token: first.refresh_token },
      headers: { 'user-agent': 'ExampleApp/2' },
    });
    const { status, body } = await app.get('/api/auth/sessions', second.bearer);
    expect(status).toBe(200);
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(body).toEqual({
      items: [
        {
          id: expect.any(String),
          device_name: 'Pixel 9',
          ip: '127.0.0.1',
          user_agent: 'ExampleApp/2',
          created_at: time,
          last_used_at: time,
          is_current: false,
        },
        expect.objectContaining({ id: sessionIdOf(second), device_name: null, is_current: true }),
      ],
    });
  });

  it('has twenty at most: the twenty-first sign-in ends the least recently used', async () => {
    const sessions = await sessionsOf(app, 20);
    const [oldest, next] = sessions;
    expect((await profile(oldest!)).status).toBe(200);
    // A refresh is a use.
    await refresh(oldest!.refreshToken);
    const newest = await app.signIn(oldest!.phoneNumber);
    const { body } = await app.get('/api/auth/sessions', newest.bearer);
    expect(body.items).toHaveLength(20);
    expect((await refresh(next!.refreshToken)).body).toEqual(problem('refresh_token_invalid'));
    expect((await profile(sessions[2]!)).status).toBe(200);
    expect(body.items.map(({ id }: { id: string }) => id)).toContain(sessionIdOf(oldest!));
  });
});

describe('DELETE /api/auth/sessions/{id}', () => {
  it('ends another session of the user, tokens and all', async () => {
    const [lost, mine] = (await sessionsOf(app, 2)) as [SignedInUser, SignedInUser];
    const answer = await app.request('DELETE', `/api/auth/sessions/${sessionIdOf(lost)}`, {
      headers: mine.bearer,
    });
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect((await profile(lost)).body).toEqual(problem('access_token_invalid'));
    expect((await refresh(lost.refreshToken)).body).toEqual(problem('refresh_token_invalid'));
    expect((await profile(mine)).status).toBe(200);
  });

  it('logs out where it is the session of the request', async () => {
    const ana = await app.signIn();
    expect(
      (await app.request('DELETE', `/api/auth/sessions/${sessionIdOf(ana)}`, { headers: ana.bearer })).status,
    ).toBe(204);
    expect((await profile(ana)).status).toBe(401);
  });

  it('does not find a session that is ended, foreign, unknown or no id at all', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const [ended, mine] = (await sessionsOf(app, 2)) as [SignedInUser, SignedInUser];
    await app.post('/api/auth/logout', undefined, ended.bearer);
    for (const id of [sessionIdOf(ended), sessionIdOf(ben), crypto.randomUUID(), 'x', '%00']) {
      const answer = await app.request('DELETE', `/api/auth/sessions/${id}`, { headers: mine.bearer });
      expect([id, answer.status, answer.body]).toEqual([id, 404, problem('not_found')]);
    }
    for (const user of [ana, ben]) expect((await profile(user)).status).toBe(200);
  });
});

describe('DELETE /api/auth/sessions', () => {
  it('ends all sessions of the user but this one, and none of anybody else', async () => {
    const stranger = await app.signIn();
    const sessions = await sessionsOf(app, 3);
    const mine = sessions[1]!;
    expect((await app.request('DELETE', '/api/auth/sessions', { headers: mine.bearer })).status).toBe(204);
    expect(tally(await Promise.all(sessions.map(profile)))).toEqual({ 200: 1, 401: 2 });
    expect((await profile(mine)).status).toBe(200);
    expect((await profile(stranger)).status).toBe(200);
  });
});

describe('POST /api/auth/logout', () => {
  it('ends the session: its access token and its refresh token are refused', async () => {
    const ana = await app.signIn();
    const answer = await app.post('/api/auth/logout', undefined, ana.bearer);
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect((await app.get('/api/auth/profile', ana.bearer)).body).toEqual(problem('access_token_invalid'));
    expect((await refresh(ana.refreshToken)).body).toEqual(problem('refresh_token_invalid'));
  });

  it('takes a refresh token instead, also one that was rotated since, and says nothing of it', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    await refresh(ben.refreshToken);
    const logout = (refresh_token: string) => app.post('/api/auth/logout', { refresh_token });
    const forged = ana.refreshToken.slice(0, -2) + (ana.refreshToken.endsWith('AA') ? 'BA' : 'AA');
    for (const token of [forged, 'x', '', ben.accessToken]) expect((await logout(token)).status).toBe(204);
    expect(tally(await Promise.all([ana, ben].map(profile)))).toEqual({ 200: 2 });
    for (const { refreshToken } of [ana, ben]) expect((await logout(refreshToken)).status).toBe(204);
    expect(tally(await Promise.all([ana, ben].map(profile)))).toEqual({ 401: 2 });
    expect((await logout(ana.refreshToken)).status).toBe(204);
  });

  it('wants one of the two, and a good bearer token where there is one', async () => {
    const ana = await app.signIn();
    for (const body of [undefined, {}]) {
      expect((await app.post('/api/auth/logout', body)).body).toEqual(problem('access_token_invalid'));
    }
    const bad = { authorization: 'Bearer x' };
    expect((await app.post('/api/auth/logout', { refresh_token: ana.refreshToken }, bad)).status).toBe(401);
    expect((await app.post('/api/auth/logout', { refresh_token: 5 })).status).toBe(422);
    expect((await profile(ana)).status).toBe(200);
  });

  it('ends a session once for ten requests at once', async () => {
    const ana = await app.signIn();
    const answers = await atOnce(10, () => app.post('/api/auth/logout', { refresh_token: ana.refreshToken }));
    expect(tally(answers)).toEqual({ 204: 10 });
    const [row] = await app.sql('SELECT revoked_reason FROM sessions WHERE user_id = $1', [ana.id]);
    expect(row).toEqual({ revoked_reason: 'logout' });
  });

  it("leaves the user's other sessions alone", async () => {
    const phone = aPhoneNumber();
    const first = await app.signIn(phone);
    app.clock.advance(31);
    const second = await app.signIn(phone);
    await app.post('/api/auth/logout', undefined, first.bearer);
    expect((await app.get('/api/auth/profile', second.bearer)).status).toBe(200);
  });
});
