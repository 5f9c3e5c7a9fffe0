import { aPhoneNumber, harness, TestApp } from './helpers/app.js';

const freshDatabase = () => harness.database();

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
