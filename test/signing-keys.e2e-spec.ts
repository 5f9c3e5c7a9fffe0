import { readFile } from 'node:fs/promises';

import { aPhoneNumber, atOnce, harness, tally, TestApp } from './helpers/app.js';
import { kidOf, publishedBy } from './helpers/signing-keys.js';
import { until } from './helpers/eventually.js';

const HOUR = 60 * 60;

const freshDatabase = () => harness.database();

afterEach(() => harness.closeApps());

const refresh = (refreshToken: string, on: TestApp) =>
  on.post('/api/auth/refresh', { refresh_token: refreshToken });

describe('signing keys', () => {
  it('are made once by two replicas that start at once, and each takes the tokens of the other', async () => {
    const database = await freshDatabase();
    const [one, two] = await Promise.all([TestApp.start({ database }), TestApp.start({ database })]);
    const keys = await Promise.all([one, two].map((each) => each.get('/.well-known/jwks.json')));
    expect(keys[0]?.body.keys).toHaveLength(1);
    expect(keys[0]?.body).toEqual(keys[1]?.body);
    const ana = await one.signIn();
    expect((await two.get('/api/auth/profile', ana.bearer)).status).toBe(200);
  });

  it('survive a restart, and are not readable in the database', async () => {
    const database = await freshDatabase();
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
    const database = await freshDatabase();
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
    const database = await freshDatabase();
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

const forged = (token: string, kid: string) => {
  const [, ...rest] = token.split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid })).toString('base64url');
  return [header, ...rest].join('.');
};

describe('a key that cannot be opened', () => {
  const [ours, theirs] = ['the-secret-of-one-of-two-deployments', 'the-secret-of-the-other-of-the-two-ones'];

  it('is published for its tokens, and never signs', async () => {
    const database = await freshDatabase();
    const one = await TestApp.start({ database, env: { APP_SECRET: ours } });
    const [first] = await publishedBy(one);
    const two = await one.replica({ env: { APP_SECRET: theirs } });
    await until(async () => (await publishedBy(one)).length === 2);
    const [ana, bob] = [await one.signIn(), await two.signIn()];
    expect([kidOf(ana.accessToken) === first, kidOf(bob.accessToken) === first]).toEqual([true, false]);
    // An hour of such a deployment, with all that is done every hour, refuses nobody.
    for (const app of [one, two, one, two]) {
      app.clock.advance(HOUR);
      await app.runJob('signing-keys');
    }
    const [cy, di] = [await one.signIn(), await two.signIn()];
    expect((await two.get('/api/auth/profile', cy.bearer)).status).toBe(200);
    expect((await one.get('/api/auth/profile', di.bearer)).status).toBe(200);
    await one.started.close();
    two.clock.advance(24 * HOUR);
    await two.runJob('signing-keys');
    expect(await publishedBy(two)).toEqual([kidOf(bob.accessToken)]);
  });

  it('is sealed under the first secret as soon as that is another one on the list', async () => {
    const database = await freshDatabase();
    const start = (secrets: string) => TestApp.start({ database, env: { APP_SECRET: secrets } });
    const sealedBy = () => harness.sql(database, 'SELECT key_id FROM signing_keys');
    const before = await start(ours);
    const [kid] = await publishedBy(before);
    const byOurs = await sealedBy();
    await before.started.close();
    const during = await start(`${ours},${theirs}`);
    expect(await sealedBy()).toEqual(byOurs);
    await during.started.close();
    await (await start(`${theirs},${ours}`)).started.close();
    expect(await sealedBy()).not.toEqual(byOurs);
    const after = await start(theirs);
    expect(await publishedBy(after)).toEqual([kid]);
    expect(kidOf((await after.signIn()).accessToken)).toBe(kid);
    expect(after.started.log.lines.join('')).not.toContain('No signing key can be decrypted');
  });
});

describe('keys that an operator withdraws as the documents say', () => {
  it('are replaced by one new key, on every replica, within seconds', async () => {
    const database = await freshDatabase();
    const one = await TestApp.start({ database });
    const two = await one.replica();
    const ana = await one.signIn();
    const [leaked] = await publishedBy(one);
    const [, sql] =
      /```sql\n(UPDATE signing_keys .*?)```/s.exec(await readFile('docs/OPERATIONS.md', 'utf8')) ?? [];
    await one.sql(sql ?? '');
    for (const app of [one, two]) await until(async () => !(await publishedBy(app)).includes(leaked!));
    const keys = await publishedBy(one);
    expect(keys).toHaveLength(1);
    expect(await publishedBy(two)).toEqual(keys);
    for (const app of [one, two]) {
      expect((await app.get('/api/auth/profile', ana.bearer)).body.code).toBe('access_token_invalid');
    }
    const refreshed = await refresh(ana.refreshToken, one);
    const bearer = { authorization: `Bearer ${refreshed.body.access_token}` };
    expect((await two.get('/api/auth/profile', bearer)).status).toBe(200);
  });
});

describe('a token of an unknown key', () => {
  it('is refused without a look at the database', async () => {
    const app = await TestApp.start();
    const { accessToken } = await app.signIn();
    const authorization = `Bearer ${forged(accessToken, 'nobody-has-ever-seen-it')}`;
    const statements = await harness.statements(async () => {
      const answers = await atOnce(20, () => app.get('/api/auth/profile', { authorization }));
      expect(tally(answers)).toEqual({ 401: 20 });
    });
    expect(statements).toEqual([]);
  });
});
