import { claimsOf } from './helpers/access-token.js';
import { atOnce, problem, tally, TestApp } from './helpers/app.js';

const DAY = 24 * 60 * 60;

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const refresh = (refreshToken: string, on: TestApp = app) =>
  on.post('/api/auth/refresh', { refresh_token: refreshToken });

describe('POST /api/auth/refresh', () => {
  it('answers new tokens of the same session', async () => {
    const ana = await app.signIn();
    const first = await refresh(ana.refreshToken);
    expect(first.status).toBe(200);
    expect(first.body).toEqual({
      token_type: 'Bearer',
      access_token: expect.any(String),
      expires_in: 900,
      refresh_token: expect.stringMatching(/^[\w-]{75}$/),
      refresh_expires_in: 30 * DAY,
    });
    expect(first.body.refresh_token).not.toBe(ana.refreshToken);
    const bearer = { authorization: `Bearer ${first.body.access_token}` };
    expect((await app.get('/api/auth/profile', bearer)).body.id).toBe(ana.id);
    expect((await refresh(first.body.refresh_token)).status).toBe(200);
  });

  it('does not move auth_time', async () => {
    const ana = await app.signIn();
    app.clock.advance(100);
    const { body } = await refresh(ana.refreshToken);
    const [before, after] = [ana.accessToken, body.access_token as string].map(claimsOf);
    expect(after?.['auth_time']).toBe(before?.['auth_time']);
    expect(Number(after?.['iat'])).toBeGreaterThanOrEqual(Number(before?.['iat']) + 100);
    expect(after?.['sid']).toBe(before?.['sid']);
    expect(after?.['jti']).not.toBe(before?.['jti']);
  });

  it.each([
    ['one replica', 1],
    ['two replicas', 2],
  ])('answers forty refreshes at once with one successor, on %s', async (_, replicas) => {
    const ana = await app.signIn();
    const other = replicas === 2 ? await app.replica() : app;
    const answers = await atOnce(40, (index) => refresh(ana.refreshToken, index % 2 ? app : other));
    expect(tally(answers)).toEqual({ 200: 40 });
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    const [session] = await app.sql('SELECT counter FROM sessions WHERE user_id = $1', [ana.id]);
    expect(session).toEqual({ counter: 1 });
  });

  it('ends a session thirty days after its last use', async () => {
    const ana = await app.signIn();
    app.clock.advance(29 * DAY);
    const { body } = await refresh(ana.refreshToken);
    app.clock.advance(30 * DAY);
    expect((await refresh(body.refresh_token)).body).toEqual(problem('refresh_token_invalid'));
  });

  it('ends a session 180 days after its start, however it is used', async () => {
    const ana = await app.signIn();
    let token = ana.refreshToken;
    for (let month = 0; month < 8; month += 1) {
      app.clock.advance(22 * DAY);
      const { body } = await refresh(token);
      token = body.refresh_token;
      const left = Math.min(30, 180 - 22 * (month + 1)) * DAY;
      // The clock runs on while the test does.
      expect(body.refresh_expires_in).toBeGreaterThan(left - 60);
      expect(body.refresh_expires_in).toBeLessThanOrEqual(left);
    }
    app.clock.advance(4 * DAY);
    expect((await refresh(token)).status).toBe(401);
  });

  it('refuses what it did not make', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const bytes = (token: string) => Buffer.from(token, 'base64url');
    const [of, another] = [bytes(ana.refreshToken), bytes(ben.refreshToken)];
    const changed = (at: number) => {
      const copy = Buffer.from(of);
      copy[at] = copy[at]! ^ 1;
      return copy.toString('base64url');
    };
    const forged = [
      '',
      'x',
      'x'.repeat(75),
      ana.refreshToken.slice(1),
      `${ana.refreshToken}A`,
      `${ana.refreshToken}=`,
      ana.accessToken,
      'A'.repeat(10_000),
      // Each part of the token: key id, session id, counter, MAC.
      ...[0, 3, 4, 19, 20, 23, 24, 55].map(changed),
      // The name of one session under the MAC of another.
      Buffer.concat([of.subarray(0, 24), another.subarray(24)]).toString('base64url'),
    ];
    for (const token of forged) {
      const answer = await refresh(token);
      expect([token, answer.status, answer.body]).toEqual([token, 401, problem('refresh_token_invalid')]);
    }
    expect((await refresh(ana.refreshToken)).status).toBe(200);
  });

  it('refuses one that is yet to come, though its MAC is good', async () => {
    const ana = await app.signIn();
    const tokens = await app.started.provider<{ make(session: object): string }>(
      'auth/tokens/refresh-tokens.js',
      'RefreshTokens',
    );
    const [session] = await app.sql<{ id: string; salt: Buffer }>(
      'SELECT id, salt FROM sessions WHERE user_id = $1',
      [ana.id],
    );
    expect(tokens.make({ ...session, counter: 0 })).toBe(ana.refreshToken);
    for (const counter of [1, 2, 2 ** 31, 2 ** 32 - 1]) {
      const answer = await refresh(tokens.make({ ...session, counter }));
      expect([answer.status, answer.body]).toEqual([401, problem('refresh_token_invalid')]);
    }
    expect((await refresh(ana.refreshToken)).status).toBe(200);
  });

  it('takes one spelling of a token only', async () => {
    const { refreshToken } = await app.signIn();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(refreshToken.at(-1) ?? '');
    const twin = refreshToken.slice(0, -1) + alphabet.charAt(last ^ 1);
    expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(refreshToken, 'base64url'));
    expect((await refresh(twin)).status).toBe(401);
  });

  it('refuses a suspended user', async () => {
    const ana = await app.signIn();
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [ana.id]);
    expect((await refresh(ana.refreshToken)).body).toEqual(problem('refresh_token_invalid'));
  });

  it('makes tokens that neither the secret alone nor the database alone can make', async () => {
    const ana = await app.signIn();
    const otherSecret = await app.replica({
      env: { APP_SECRET: 'another-secret-than-that-of-the-first-replica' },
    });
    expect((await refresh(ana.refreshToken, otherSecret)).status).toBe(401);
    await app.sql(`UPDATE sessions SET salt = '\\x00' WHERE user_id = $1`, [ana.id]);
    expect((await refresh(ana.refreshToken)).status).toBe(401);
  });
});

describe('a refresh token that comes twice', () => {
  it('is answered the same successor for 30 seconds, from any replica, for a phone that lost the answer', async () => {
    const other = await app.replica();
    const ana = await app.signIn();
    const first = await refresh(ana.refreshToken);
    app.clock.advance(29);
    const repeated = await refresh(ana.refreshToken, other);
    expect(repeated.status).toBe(200);
    expect(repeated.body.refresh_token).toBe(first.body.refresh_token);
    const bearer = { authorization: `Bearer ${repeated.body.access_token}` };
    expect((await app.get('/api/auth/profile', bearer)).status).toBe(200);
    expect((await refresh(first.body.refresh_token)).status).toBe(200);
  });

  it('does not make the session live longer', async () => {
    const ana = await app.signIn();
    const expiry = async () =>
      (
        await app.sql('SELECT expires_at, counter, last_used_at FROM sessions WHERE user_id = $1', [ana.id])
      )[0];
    await refresh(ana.refreshToken);
    const before = await expiry();
    app.clock.advance(20);
    await refresh(ana.refreshToken);
    expect(await expiry()).toEqual(before);
  });

  it('ends the session after 30 seconds, and says so to every token of it', async () => {
    const ana = await app.signIn();
    const { body: first } = await refresh(ana.refreshToken);
    app.clock.advance(30);
    const theft = await refresh(ana.refreshToken);
    expect([theft.status, theft.body]).toEqual([401, problem('refresh_token_reused')]);
    expect((await refresh(first.refresh_token)).body).toEqual(problem('refresh_token_reused'));
    expect((await refresh(ana.refreshToken)).body).toEqual(problem('refresh_token_reused'));
    const bearer = { authorization: `Bearer ${first.access_token}` };
    expect((await app.get('/api/auth/profile', bearer)).body).toEqual(problem('access_token_invalid'));
  });

  it('ends the session at once where it is two steps old', async () => {
    const ana = await app.signIn();
    const { body: first } = await refresh(ana.refreshToken);
    const { body: second } = await refresh(first.refresh_token);
    expect((await refresh(ana.refreshToken)).body).toEqual(problem('refresh_token_reused'));
    expect((await refresh(second.refresh_token)).body).toEqual(problem('refresh_token_reused'));
  });

  it('is as invalid as any other once the session was ended otherwise', async () => {
    const ana = await app.signIn();
    const { body } = await refresh(ana.refreshToken);
    await app.post('/api/auth/logout', undefined, ana.bearer);
    for (const token of [ana.refreshToken, body.refresh_token]) {
      expect((await refresh(token)).body).toEqual(problem('refresh_token_invalid'));
    }
  });
});
