import { randomUUID } from 'node:crypto';

import { claimsOf, expectInvalidToken } from './helpers/access-token.js';
import { anAdministrator } from './helpers/administrator.js';
import { type Answer, aPhoneNumber, atOnce, expectProblem, harness, tally, TestApp } from './helpers/app.js';

const SESSION_LIMIT = 5;
const ADDRESS_LIMIT = 20;
const PROFILE = '/api/auth/profile';
const INTERESTS = '/api/auth/event-interests';

/** Behind one proxy, so that a test may come from any address. */
const start = (env: Record<string, string> = {}) =>
  TestApp.start({
    env: {
      RATE_LIMIT_PER_MINUTE: String(SESSION_LIMIT),
      RATE_LIMIT_ANONYMOUS_PER_MINUTE: String(ADDRESS_LIMIT),
      TRUST_PROXY: '1',
      ...env,
    },
  });

const from = (address: string) => ({ 'x-forwarded-for': address });
let lastHost = 0;
const anAddress = () => `198.51.100.${(lastHost += 1)}`;

const limitsOf = ({ headers }: Answer) => ({
  limit: headers.get('ratelimit-limit'),
  remaining: headers.get('ratelimit-remaining'),
  reset: headers.get('ratelimit-reset'),
});
const left = (answer: Answer) => limitsOf(answer).remaining;

function expectLimited(answer: Answer, limit: number): void {
  expectProblem(answer, { status: 429, code: 'rate_limited', retry_after: expect.any(Number) });
  const wait = String(answer.body.retry_after);
  expect(answer.body.retry_after).toBeGreaterThanOrEqual(1);
  expect(answer.body.retry_after).toBeLessThanOrEqual(60);
  expect(answer.headers.get('retry-after')).toBe(wait);
  expect(limitsOf(answer)).toEqual({ limit: String(limit), remaining: '0', reset: wait });
}

/** Whether the address has used up what it has; asks for nothing that counts for a session. */
const useUp = (app: TestApp, address: string) =>
  atOnce(ADDRESS_LIMIT, () => app.get(INTERESTS, from(address)));

afterEach(() => harness.closeApps());

describe('RATE_LIMIT_PER_MINUTE', () => {
  it('is for all routes of a session together, and for each session by itself', async () => {
    const app = await start();
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const paths = [
      PROFILE,
      '/api/auth/sessions',
      '/api/auth/activity',
      PROFILE,
      '/api/auth/profile/pictures',
    ];
    for (const [index, path] of paths.entries()) {
      const answer = await app.get(path, ana.bearer);
      expect([path, answer.status, left(answer)]).toEqual([path, 200, String(4 - index)]);
    }
    expectLimited(await app.get(PROFILE, ana.bearer), SESSION_LIMIT);
    expectLimited(await app.request('PATCH', PROFILE, { body: {}, headers: ana.bearer }), SESSION_LIMIT);
    expect((await app.get(PROFILE, ben.bearer)).status).toBe(200);
  });

  it('follows the session from address to address', async () => {
    const app = await start();
    const { bearer } = await app.signIn();
    const answers = await atOnce(12, (index) =>
      app.get(PROFILE, { ...bearer, ...from(`203.0.113.${index}`) }),
    );
    expect(tally(answers)).toEqual({ 200: 5, 429: 7 });
  });

  it('lets exactly so many through of many at once', async () => {
    const app = await start();
    const { bearer } = await app.signIn();
    expect(tally(await atOnce(60, () => app.get(PROFILE, bearer)))).toEqual({ 200: 5, 429: 55 });
  });

  it('begins anew a minute after its first request', async () => {
    const app = await start();
    const { bearer } = await app.signIn();
    await app.get(PROFILE, bearer);
    app.clock.advance(30);
    expect(tally(await atOnce(5, () => app.get(PROFILE, bearer)))).toEqual({ 200: 4, 429: 1 });
    const refused = await app.get(PROFILE, bearer);
    expectLimited(refused, SESSION_LIMIT);
    expect(refused.body.retry_after).toBeLessThanOrEqual(30);
    app.clock.advance(refused.body.retry_after);
    expect(left(await app.get(PROFILE, bearer))).toBe('4');
  });

  it('says what is left on every answer, those that refuse too', async () => {
    const app = await start({ RATE_LIMIT_PER_MINUTE: '100' });
    const { bearer } = await app.signIn();
    const read = await app.get(PROFILE, bearer);
    expect(limitsOf(read)).toEqual({ limit: '100', remaining: '99', reset: expect.stringMatching(/^\d+$/) });
    const answers = [
      await app.get(PROFILE, { ...bearer, 'if-none-match': read.headers.get('etag') ?? '' }),
      await app.request('PATCH', PROFILE, { body: { no_field: 1 }, headers: bearer }),
      await app.get(`/api/users/${randomUUID()}`, bearer),
      await app.get('/api/admin/users', bearer),
      await app.request('HEAD', PROFILE, { headers: bearer }),
      await app.request('DELETE', '/api/auth/profile/coordinates', { headers: bearer }),
    ];
    expect(answers.map((answer) => [answer.status, left(answer)])).toEqual([
      [304, '98'],
      [422, '97'],
      [404, '96'],
      [403, '95'],
      [200, '94'],
      [204, '93'],
    ]);
  });
});

describe('RATE_LIMIT_ANONYMOUS_PER_MINUTE', () => {
  it('is for all requests of an address without a good token, public routes or not', async () => {
    const app = await start();
    const address = anAddress();
    const first = await app.get(PROFILE, from(address));
    expectInvalidToken(first);
    expect(limitsOf(first)).toMatchObject({ limit: '20', remaining: '19' });
    expect(left(await app.get(INTERESTS, from(address)))).toBe('18');
    expect(left(await app.post('/api/auth/refresh', { refresh_token: 'x' }, from(address)))).toBe('17');
    expect(left(await app.post('/api/auth/signup', {}, from(address)))).toBe('16');
    expect(left(await app.post('/api/auth/logout', {}, from(address)))).toBe('15');
    await useUp(app, address);
    const refused = await app.post('/api/auth/signup', { phone_number: aPhoneNumber() }, from(address));
    expectLimited(refused, ADDRESS_LIMIT);
    expect((await app.get(INTERESTS, from(anAddress()))).status).toBe(200);
  });

  it('counts bad tokens, and refuses neither for them nor for others whoever is signed in at that address', async () => {
    const app = await start();
    const address = anAddress();
    const { bearer, accessToken } = await app.signIn();
    const [head = '', , signature = ''] = accessToken.split('.');
    const claims = Buffer.from(JSON.stringify({ ...claimsOf(accessToken), roles: ['admin'] }));
    const forged = `${head}.${claims.toString('base64url')}.${signature}`;
    const answers = await atOnce(60, () =>
      app.get(PROFILE, { authorization: `Bearer ${forged}`, ...from(address) }),
    );
    expect(tally(answers)).toEqual({ 401: 20, 429: 40 });
    // What would be logged without end is not: the limit comes first.
    const logged = app.started.log.lines.filter((line) => line.includes('forged access token'));
    expect(logged).toHaveLength(20);
    expect((await app.get(PROFILE, { ...bearer, ...from(address) })).status).toBe(200);
  });

  it.each([
    ['a /64 of IPv6', '2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:3::1'],
    ['IPv4, however it is written', '192.0.2.7', '::ffff:192.0.2.7', '192.0.2.8'],
    ['IPv4 in hexadecimal', '192.0.2.33', '::ffff:c000:221', '::ffff:c000:222'],
  ])('takes for one address %s', async (_name, one, same, other) => {
    const app = await start();
    await useUp(app, one);
    expect((await app.get(INTERESTS, from(same))).status).toBe(429);
    expect((await app.get(INTERESTS, from(other))).status).toBe(200);
  });

  it('takes what is no address for that of the proxy', async () => {
    const app = await start();
    for (let index = 0; index < ADDRESS_LIMIT; index += 1) await app.get(INTERESTS, from(`unknown-${index}`));
    expect((await app.get(INTERESTS, from('anything'))).status).toBe(429);
    expect((await app.get(INTERESTS)).status).toBe(429);
    expect((await app.get(INTERESTS, from(anAddress()))).status).toBe(200);
  });

  it('leaves out monitors, and what reaches no route', async () => {
    const app = await start();
    const address = anAddress();
    await useUp(app, address);
    for (const path of ['/health/live', '/health/ready', '/metrics']) {
      const answer = await app.get(path, from(address));
      expect([path, answer.status, left(answer)]).toEqual([path, 200, null]);
    }
    for (const path of ['/api/no/such/route', '/%']) {
      const answer = await app.get(path, from(address));
      expect([path, left(answer)]).toEqual([path, null]);
    }
  });
});

describe('without TRUST_PROXY', () => {
  it('counts all of a proxy as one address, and tells of it once, without saying who', async () => {
    const app = await start({ TRUST_PROXY: '' });
    const answers = await atOnce(ADDRESS_LIMIT + 10, (index) =>
      app.get(INTERESTS, from(`203.0.113.${index}`)),
    );
    expect(tally(answers)).toEqual({ 200: 20, 429: 10 });
    const warnings = app.started.log.lines.filter((line) => line.includes('TRUST_PROXY'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('203.0.113');
  });

  it('says nothing where no proxy shows itself, or it is named', async () => {
    const apps = [await start({ TRUST_PROXY: '' }), await start()];
    await apps[0]!.get(INTERESTS);
    await apps[1]!.get(INTERESTS, from(anAddress()));
    for (const app of apps) {
      expect(app.started.log.lines.filter((line) => line.includes('TRUST_PROXY'))).toEqual([]);
    }
  });
});

describe('a limit of a route', () => {
  it('is apart from that of all routes, for each client by itself, and tells of the nearer of the two', async () => {
    const app = await start({ RATE_LIMIT_PER_MINUTE: '15' });
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const exported = () => app.get('/api/auth/account/export', ana.bearer);
    expect(limitsOf(await exported())).toMatchObject({ limit: '10', remaining: '9' });
    for (let time = 2; time <= 10; time += 1) expect((await exported()).status).toBe(200);
    expectLimited(await exported(), 10);
    expect(limitsOf(await app.get(PROFILE, ana.bearer))).toMatchObject({ limit: '15', remaining: '3' });
    for (let time = 1; time <= 9; time += 1) await app.get(PROFILE, ben.bearer);
    const far = await app.get('/api/auth/account/export', ben.bearer);
    expect([far.status, limitsOf(far)]).toEqual([
      200,
      expect.objectContaining({ limit: '15', remaining: '5' }),
    ]);
    for (let time = 1; time <= 3; time += 1) await app.get(PROFILE, ana.bearer);
    expectLimited(await exported(), 15);
  });

  it.each([['/api/admin/users?q=ana'], ['/api/admin/audit-log']])('is there for %s', async (path) => {
    const app = await start({ RATE_LIMIT_PER_MINUTE: '1000' });
    const { bearer } = await anAdministrator(app);
    const answers = await atOnce(125, () => app.get(path, bearer));
    expect(tally(answers)).toEqual({ 200: 120, 429: 5 });
  });

  it('is there for many profiles at once', async () => {
    const app = await start({ RATE_LIMIT_PER_MINUTE: '1000' });
    const { bearer } = await app.signIn();
    const answers = await atOnce(125, () => app.get(`/api/users?ids=${randomUUID()}`, bearer));
    expect(tally(answers)).toEqual({ 200: 120, 429: 5 });
  });
});

describe("a host's own storage of counts", () => {
  const counted = (totalHits: number, isBlocked = false) =>
    Promise.resolve({ totalHits, timeToExpire: 17, isBlocked, timeToBlockExpire: isBlocked ? 17 : 0 });

  it('is asked once for each request, by session or address, and decides', async () => {
    const asked: unknown[][] = [];
    let isBlocked = false;
    const increment = (...question: unknown[]) => {
      asked.push(question);
      return counted(2, isBlocked);
    };
    const app = await TestApp.start({
      env: { TRUST_PROXY: '1', RATE_LIMIT_PER_MINUTE: '100', RATE_LIMIT_ANONYMOUS_PER_MINUTE: '200' },
      rateLimits: { increment },
    });
    const { bearer, accessToken } = await app.signIn();
    asked.splice(0);
    const answer = await app.get(PROFILE, bearer);
    expect(limitsOf(answer)).toEqual({ limit: '100', remaining: '98', reset: '17' });
    await app.get(INTERESTS, from('2001:db8::1'));
    expect(asked.map(([key, ttl, limit]) => [key, ttl, limit])).toEqual([
      [`session ${String(claimsOf(accessToken)['sid'])}`, 60_000, 100],
      ['address 2001:db8::/64', 60_000, 200],
    ]);
    isBlocked = true;
    expectProblem(await app.get(PROFILE, bearer), { status: 429, code: 'rate_limited', retry_after: 17 });
  });

  it.each([
    ['fails', () => Promise.reject(new Error('the store is away'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('that %s stops codes and guesses, and nothing else, and is told of once', async (_name, fail) => {
    let isAway = false;
    const app = await TestApp.start({ rateLimits: { increment: () => (isAway ? fail() : counted(1)) } });
    const user = await app.signIn();
    const phone = aPhoneNumber();
    isAway = true;
    const refused = await Promise.all([
      app.signup(phone),
      app.verify(phone, '1234'),
      app.post('/api/auth/phone-number', { phone_number: phone }, user.bearer),
      app.post('/api/auth/phone-number/verify', { phone_number: phone, otp_code: '1234' }, user.bearer),
    ]);
    for (const answer of refused) expectProblem(answer, { status: 503, code: 'service_unavailable' });
    const served = await Promise.all([
      app.get(PROFILE, user.bearer),
      app.get(INTERESTS),
      app.post('/api/auth/refresh', { refresh_token: user.refreshToken }),
    ]);
    expect(served.map((answer) => [answer.status, left(answer)])).toEqual([
      [200, null],
      [200, null],
      [200, null],
    ]);
    isAway = false;
    expect((await app.signup(phone)).status).toBe(200);
    const said = app.started.log.lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(said.filter((message) => /^requests /.test(message))).toEqual([
      'requests cannot be counted',
      'requests are counted again',
    ]);
  });
});
