import { aPhoneNumber, atOnce, problem, tally, TestApp } from './helpers/app.js';

const DAY = 24 * 60 * 60;

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const refresh = (refreshToken: string, on: TestApp = app) =>
  on.post('/api/auth/refresh', { refresh_token: refreshToken });

describe('POST /api/auth/refresh', () => {
  it('answers new tokens of the same session, and takes each refresh token once', async () => {
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
    const repeated = await refresh(ana.refreshToken);
    expect([repeated.status, repeated.body]).toEqual([401, problem('refresh_token_invalid')]);
    expect((await refresh(first.body.refresh_token)).status).toBe(200);
  });

  it('does not move auth_time', async () => {
    const ana = await app.signIn();
    app.clock.advance(100);
    const { body } = await refresh(ana.refreshToken);
    const [before, after] = [ana.accessToken, body.access_token as string].map(claimsOf);
    expect(after?.auth_time).toBe(before?.auth_time);
    expect(after?.iat).toBeGreaterThanOrEqual((before?.iat ?? 0) + 100);
    expect(after?.sid).toBe(before?.sid);
    expect(after?.jti).not.toBe(before?.jti);
  });

  it.each([
    ['one replica', 1],
    ['two replicas', 2],
  ])('rotates once for forty refreshes at once, on %s', async (_, replicas) => {
    const ana = await app.signIn();
    const other = replicas === 2 ? await app.replica() : app;
    const answers = await atOnce(40, (index) => refresh(ana.refreshToken, index % 2 ? app : other));
    expect(tally(answers)).toEqual({ 200: 1, 401: 39 });
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

describe('POST /api/auth/logout', () => {
  it('ends the session: its access token and its refresh token are refused', async () => {
    const ana = await app.signIn();
    const answer = await app.post('/api/auth/logout', undefined, ana.bearer);
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect((await app.get('/api/auth/profile', ana.bearer)).body).toEqual(problem('access_token_invalid'));
    expect((await refresh(ana.refreshToken)).body).toEqual(problem('refresh_token_invalid'));
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

describe('signing keys', () => {
  it('are made once by two replicas that start at once, and each takes the tokens of the other', async () => {
    const database = await app.freshDatabase();
    const [one, two] = await Promise.all([TestApp.start({ database }), TestApp.start({ database })]);
    const keys = await Promise.all([one, two].map((each) => each.get('/.well-known/jwks.json')));
    expect(keys[0]?.body.keys).toHaveLength(1);
    expect(keys[0]?.body).toEqual(keys[1]?.body);
    const ana = await one.signIn();
    expect((await two.get('/api/auth/profile', ana.bearer)).status).toBe(200);
  });

  it('survive a restart, and are not readable in the database', async () => {
    const database = await app.freshDatabase();
    const before = await TestApp.start({ database });
    const ana = await before.signIn();
    await before.started.close();
    const after = await TestApp.start({ database });
    expect((await after.get('/api/auth/profile', ana.bearer)).status).toBe(200);
    const [row] = await after.sql<{ private_key: Buffer; public_jwk: object }>('SELECT * FROM signing_keys');
    expect(Object.keys(row?.public_jwk ?? {}).sort()).toEqual(['crv', 'kty', 'x', 'y']);
    // PKCS #8 of a P-256 key starts with this in the clear.
    expect(row?.private_key.includes(Buffer.from('3081870201003013', 'hex'))).toBe(false);
  });

  it('are made anew where the secret was lost, with a warning; older access tokens live out their time', async () => {
    const database = await app.freshDatabase();
    const before = await TestApp.start({ database });
    const ana = await before.signIn();
    await before.started.close();
    const after = await TestApp.start({
      database,
      env: { APP_SECRET: 'the-secret-that-came-after-the-lost-one' },
    });
    expect(after.started.log.lines.join('')).toContain('No signing key can be decrypted');
    expect((await after.get('/.well-known/jwks.json')).body.keys).toHaveLength(2);
    expect((await after.get('/api/auth/profile', ana.bearer)).status).toBe(200);
    expect((await refresh(ana.refreshToken, after)).status).toBe(401);
    const again = await after.signIn();
    expect((await after.get('/api/auth/profile', again.bearer)).status).toBe(200);
  });

  it('work on under a rotated secret, as long as the old one stays in the list', async () => {
    const database = await app.freshDatabase();
    const secret = (env: string) => TestApp.start({ database, env: { APP_SECRET: env } });
    const [old, next] = ['the-older-of-two-secrets-of-a-rotation', 'the-newer-of-two-secrets-of-a-rotation'];
    const before = await secret(old);
    const ana = await before.signIn();
    const phone = aPhoneNumber();
    await before.signup(phone);
    const code = await before.code(phone);
    await before.started.close();
    const after = await secret(`${next},${old}`);
    expect((await after.verify(phone, code)).status).toBe(200);
    const refreshed = await refresh(ana.refreshToken, after);
    expect(refreshed.status).toBe(200);
    await after.started.close();
    const later = await secret(next);
    expect((await refresh(refreshed.body.refresh_token, later)).status).toBe(200);
  });
});

function claimsOf(token: string): { iat: number; auth_time: number; sid: string; jti: string } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}
