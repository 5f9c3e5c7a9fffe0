import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';

import { type Answer, expectProblem, harness, type SignedInUser, TestApp } from './helpers/app.js';
import { claimsOf, expectInvalidToken } from './helpers/access-token.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

describe('GET /.well-known/jwks.json', () => {
  it('shows the public members of each key, and no other', async () => {
    const { status, body } = await app.get('/.well-known/jwks.json');
    expect({ status, members: Object.keys(body) }).toEqual({ status: 200, members: ['keys'] });
    expect(body.keys.length).toBeGreaterThan(0);
    for (const key of body.keys) {
      expect(key).toEqual({
        kty: 'EC',
        crv: 'P-256',
        x: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
        y: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
        kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
        use: 'sig',
        alg: 'ES256',
      });
    }
  });

  it('checks the access tokens that are handed out', async () => {
    const { accessToken } = await app.signIn();
    const [header = '', claims = '', signature = ''] = accessToken.split('.');
    const { body } = await app.get('/.well-known/jwks.json');
    const key = body.keys.find(({ kid }: { kid: string }) => kid === decode(header)['kid']);
    const publicKey = { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const };
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  });
});

describe('an access token', () => {
  it('holds these claims and no other, and no phone number', async () => {
    const user = await app.signIn();
    const [header = '', claims = ''] = user.accessToken.split('.');
    expect(decode(header)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    const decoded = decode(claims);
    const now = Math.floor(app.clock.now().getTime() / 1000);
    expect(decoded).toEqual({
      iss: 'latchkey',
      aud: 'latchkey',
      sub: user.id,
      sid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: decoded['auth_time'],
      exp: Number(decoded['iat']) + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      auth_time: expect.any(Number),
      roles: [],
    });
    expect(Math.abs(now - Number(decoded['iat']))).toBeLessThan(30);
    expect(JSON.stringify([decode(header), decoded])).not.toContain(user.phoneNumber.slice(1));
  });

  it('has another id each time', async () => {
    const user = await app.signIn();
    const { body } = await app.post('/api/auth/refresh', { refresh_token: user.refreshToken });
    expect(claimsOf(body.access_token)['jti']).not.toBe(claimsOf(user.accessToken)['jti']);
    expect(claimsOf(body.access_token)['sid']).toBe(claimsOf(user.accessToken)['sid']);
  });

  it('is good to the end of its life and for the skew of clocks, then has expired', async () => {
    const { bearer } = await app.signIn();
    app.clock.advance(903);
    expect((await app.get('/api/auth/profile', bearer)).status).toBe(200);
    app.clock.advance(3);
    const answer = await app.get('/api/auth/profile', bearer);
    expectProblem(answer, { status: 401, code: 'access_token_expired' });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('is refused once its session has ended, though it has not expired', async () => {
    const { bearer } = await app.signIn();
    expect((await app.post('/api/auth/logout', undefined, bearer)).status).toBe(204);
    expectInvalidToken(await app.get('/api/auth/profile', bearer));
    expectInvalidToken(await app.post('/api/auth/logout', undefined, bearer));
  });
});

describe('the Authorization header', () => {
  it.each(['bearer', 'Bearer', 'BEARER'])('takes the scheme as %s', async (scheme) => {
    const { accessToken, id } = await app.signIn();
    const answer = await app.get('/api/auth/profile', { authorization: `${scheme} ${accessToken}` });
    expect(answer).toMatchObject({ status: 200, body: { id } });
  });

  it.each<[what: string, header: (token: string) => string]>([
    ['nothing', () => ''],
    ['the scheme alone', () => 'Bearer'],
    ['the scheme and a space', () => 'Bearer '],
    ['the token alone', (token) => token],
    ['Basic', () => 'Basic dXNlcjpwYXNz'],
    ['Basic with the token', (token) => `Basic ${token}`],
    ['another scheme', (token) => `JWT ${token}`],
    ['two tokens', (token) => `Bearer ${token}, Bearer ${token}`],
    ['garbage', () => 'Bearer garbage'],
    ['dots', () => 'Bearer ..'],
    ['a token of four parts', (token) => `Bearer ${token}.${token.split('.')[2] ?? ''}`],
    ['a token of two parts', (token) => `Bearer ${token.split('.').slice(0, 2).join('.')}`],
    ['text that is no JSON', () => `Bearer ${['{', '{', 'x'].map((part) => encodeText(part)).join('.')}`],
    [
      'JSON that is no object',
      () => `Bearer ${['null', '5', 'x'].map((part) => encodeText(part)).join('.')}`,
    ],
    ['eight thousand characters', () => `Bearer ${'a'.repeat(8000)}`],
  ])('with %s opens nothing', async (_what, header) => {
    const { accessToken } = await app.signIn();
    expectInvalidToken(await app.get('/api/auth/profile', { authorization: header(accessToken) }));
  });

  it('is the only place where a token counts', async () => {
    const { accessToken } = await app.signIn();
    expectInvalidToken(
      await app.get(`/api/auth/profile?access_token=${accessToken}&auth_token=${accessToken}`),
    );
    expectInvalidToken(await app.get('/api/auth/profile', { cookie: `access_token=${accessToken}` }));
    expectInvalidToken(
      await app.request('PATCH', '/api/auth/profile', { body: { access_token: accessToken } }),
    );
  });
});

describe('a forged access token', () => {
  interface Forgery {
    header?: Record<string, unknown>;
    claims?: Record<string, unknown>;
    signature?: (signed: string, ours: KeyObject) => Buffer;
  }

  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const strangersKey = stranger.publicKey.export({ format: 'jwk' });
  const byStranger = (signed: string) => ecdsa(signed, stranger.privateKey);
  const hmac = (key: (ours: KeyObject) => string | Buffer) => (signed: string, ours: KeyObject) =>
    createHmac('sha256', key(createPublicKey(ours)))
      .update(signed)
      .digest();

  async function forge(
    user: SignedInUser,
    { header = {}, claims = {}, signature = ecdsa }: Forgery = {},
  ): Promise<Answer> {
    const keys = await app.started.provider<{ current(): { kid: string; privateKey: KeyObject } }>(
      'auth/keys/signing-keys.service.js',
      'SigningKeys',
    );
    const { kid, privateKey } = keys.current();
    const signed = [
      { alg: 'ES256', typ: 'at+jwt', kid, ...header },
      { ...claimsOf(user.accessToken), ...claims },
    ]
      .map((part) => encodeText(JSON.stringify(part)))
      .join('.');
    const token = `${signed}.${signature(signed, privateKey).toString('base64url')}`;
    return app.get('/api/auth/profile', { authorization: `Bearer ${token}` });
  }

  it('is good if it is made as ours are, so that each refusal below has one cause', async () => {
    const user = await app.signIn();
    expect(await forge(user)).toMatchObject({ status: 200, body: { id: user.id } });
  });

  it.each<[what: string, forgery: Forgery]>([
    ['unsigned', { header: { alg: 'none' }, signature: () => Buffer.alloc(0) }],
    ['unsigned, None', { header: { alg: 'None' }, signature: () => Buffer.alloc(0) }],
    ['said to be unsigned, and signed', { header: { alg: 'none' } }],
    ['without a signature', { signature: () => Buffer.alloc(0) }],
    ['with a signature of zeros', { signature: () => Buffer.alloc(64) }],
    ['with a signature in DER', { signature: (signed, ours) => sign('sha256', Buffer.from(signed), ours) }],
    ['signed over something else', { signature: (signed, ours) => ecdsa(`${signed}.`, ours) }],
    ['HS256 with our public key in PEM', { header: { alg: 'HS256' }, signature: hmac(toPem) }],
    [
      'HS256 with our public key as JWK',
      { header: { alg: 'HS256' }, signature: hmac((ours) => JSON.stringify(ours.export({ format: 'jwk' }))) },
    ],
    ['HS256 with an empty secret', { header: { alg: 'HS256' }, signature: hmac(() => '') }],
    ['said to be ES384', { header: { alg: 'ES384' } }],
    ['said to be RS256', { header: { alg: 'RS256' } }],
    ['without an algorithm', { header: { alg: undefined } }],
    ["signed with a stranger's key", { signature: byStranger }],
    ["signed with a stranger's key in jwk", { header: { jwk: strangersKey }, signature: byStranger }],
    [
      "signed with a stranger's key in jwk, of no kid",
      { header: { kid: undefined, jwk: strangersKey }, signature: byStranger },
    ],
    [
      'with the address of keys in jku',
      { header: { jku: 'http://localhost:1/jwks' }, signature: byStranger },
    ],
    ['with a certificate in x5c', { header: { x5c: ['MIIB'] }, signature: byStranger }],
    ['with crit', { header: { crit: ['exp'] } }],
    ['with an empty crit', { header: { crit: [] } }],
    ['of another type', { header: { typ: 'JWT' } }],
    ['of no type', { header: { typ: undefined } }],
    ['of an unknown kid', { header: { kid: createHash('sha256').update('?').digest('base64url') } }],
    ['of a kid that is a path', { header: { kid: '../../../../dev/null' } }],
    ['of a kid that is SQL', { header: { kid: "' OR '1'='1" } }],
    ['of a kid that is a list', { header: { kid: ['__proto__'] } }],
    ['of no kid', { header: { kid: undefined } }],
    ['of another issuer', { claims: { iss: 'somebody-else' } }],
    ['of no issuer', { claims: { iss: undefined } }],
    ['for another audience', { claims: { aud: 'somebody-else' } }],
    ['for no audience', { claims: { aud: undefined } }],
    ['without sub', { claims: { sub: undefined } }],
    ['with a number as sub', { claims: { sub: 5 } }],
    ['of another user', { claims: { sub: randomUUID() } }],
    ['without sid', { claims: { sid: undefined } }],
    ['with a list as sid', { claims: { sid: [randomUUID()] } }],
    ['of an unknown session', { claims: { sid: randomUUID() } }],
    ['that never expires', { claims: { exp: undefined } }],
    ['that expires some day', { claims: { exp: 'tomorrow' } }],
  ])('%s opens nothing', async (_what, forgery) => {
    expectInvalidToken(await forge(await app.signIn(), forgery));
  });

  it('leaves a line in the log, without the token; a token that has merely expired, or none, does not', async () => {
    const user = await app.signIn();
    const lines = async (work: () => Promise<unknown>) => {
      const before = app.started.log.lines.length;
      await work();
      return app.started.log.lines.slice(before).filter((line) => line.includes('forged access token'));
    };
    const [line = '', ...more] = await lines(() => forge(user, { header: { alg: 'none' } }));
    expect(more).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', ip: '127.0.0.1', reason: expect.any(String) });
    expect(line).not.toContain(user.accessToken.split('.')[1]);
    expect(await lines(() => forge(user, { signature: byStranger }))).toHaveLength(1);
    expect(await lines(() => forge(user, { header: { kid: 'x' } }))).toHaveLength(1);
    expect(await lines(() => app.get('/api/auth/profile'))).toEqual([]);
    app.clock.advance(1000);
    expect(await lines(() => app.get('/api/auth/profile', user.bearer))).toEqual([]);
  });

  it('opens nothing with the session of another user', async () => {
    const [mine, theirs] = [await app.signIn(), await app.signIn()];
    expectInvalidToken(await forge(mine, { claims: { sid: claimsOf(theirs.accessToken)['sid'] } }));
  });
});

describe('two apps in one process', () => {
  it('check access tokens each by its own keys, sessions and clock', async () => {
    const other = await TestApp.start({ database: await harness.database() });
    other.clock.advance(10_000);
    const [mine, theirs] = [await app.signIn(), await other.signIn()];
    expect((await app.get('/api/auth/profile', mine.bearer)).status).toBe(200);
    expect((await other.get('/api/auth/profile', theirs.bearer)).status).toBe(200);
    expectInvalidToken(await app.get('/api/auth/profile', theirs.bearer));
    expectInvalidToken(await other.get('/api/auth/profile', mine.bearer));
  });
});

function ecdsa(signed: string, key: KeyObject): Buffer {
  return sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
}

function toPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

function encodeText(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}
