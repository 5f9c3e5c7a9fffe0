import { connect } from 'node:net';

import { type Answer, aPhoneNumber, expectProblem, harness, TestApp } from './helpers/app.js';
import { answerTo, Wire } from './helpers/wire.js';

const MALFORMED = { status: 400, code: 'malformed_request' };
const NOT_FOUND = { status: 404, code: 'not_found' };
const UNAVAILABLE = { status: 503, code: 'service_unavailable' };

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

describe('a request that cannot be read', () => {
  it.each(['{', '', ' ', '{"phone_number":', "{'a':1}", '{"a":1,}', 'undefined', 'NaN', '{} {}', '\0'])(
    'with the JSON %j is malformed',
    async (raw) => {
      expectProblem(await app.request('POST', '/api/auth/signup', { raw }), MALFORMED);
    },
  );

  it.each(['/%zz', '/%', '/api/auth/%ff', '/%c3%28', '/docs/%zz', '/api/auth/profile/%E0%A4%A'])(
    'to %s is malformed',
    async (path) => {
      expectProblem(await app.get(path), MALFORMED);
    },
  );

  it.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'text/plain;charset=UTF-8',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/problem+json',
    'application/jsonp',
    'garbage',
    '',
  ])('of the type "%s" is of an unsupported one', async (type) => {
    const raw = new TextEncoder().encode(JSON.stringify({ phone_number: aPhoneNumber() }));
    const answer = await app.request('POST', '/api/auth/signup', { raw, headers: { 'content-type': type } });
    expectProblem(answer, { status: 415, code: 'unsupported_media_type' });
  });

  it('of no type is of an unsupported one', async () => {
    const raw = new TextEncoder().encode(JSON.stringify({ phone_number: aPhoneNumber() }));
    const answer = await app.request('POST', '/api/auth/signup', { raw });
    expectProblem(answer, { status: 415, code: 'unsupported_media_type' });
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'of the type %s is read',
    async (type) => {
      const body = { phone_number: aPhoneNumber() };
      expect(await app.post('/api/auth/signup', body, { 'content-type': type })).toMatchObject({
        status: 200,
      });
    },
  );

  it.each<[what: string, request: string]>([
    ['no HTTP', 'hello\r\n\r\n'],
    ['no HTTP, but bytes', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
    ['headers of 17 KiB', `GET /health/live HTTP/1.1\r\nHost: x\r\nX-Large: ${'a'.repeat(17_000)}\r\n\r\n`],
    ['a URL of 17 KiB', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['an unknown method', 'SIGNUP /api/auth/signup HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a header without a colon', 'GET /health/live HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n'],
    [
      'a length that is no number',
      'POST /api/auth/signup HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\n\r\n',
    ],
    ['a body of two lengths', post('Content-Length: 2\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['a chunk of no length', post('Transfer-Encoding: chunked', 'zz\r\n{}\r\n')],
    ['no Host', 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ])('for it is %s is malformed', async (_what, request) => {
    const answer = await answerTo(app.started.url, request);
    expectProblem(answer, MALFORMED);
    expectHeaders(answer);
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('by a client that hangs up is no outage', async () => {
    const requestId = `hung-up-${aPhoneNumber().slice(1)}`;
    const { port } = new URL(app.started.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(post(`X-Request-Id: ${requestId}\r\nContent-Length: 100`, '{"phone_number":'));
    // Another request on another connection is answered: by then the first one is being read.
    await app.get('/health/live');
    socket.destroy();
    await logged(app, (line) => line.includes(requestId));
    expect(linesOf(app, requestId).filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a request to nowhere', () => {
  it.each([
    '/',
    '/nope',
    '/api',
    '/api/auth',
    '/api/auth/signup/',
    '/API/auth/signup',
    '//health/live',
    '/.env',
  ])('to %s finds nothing', async (path) => {
    expectProblem(await app.get(path), NOT_FOUND);
    expectProblem(await app.post(path, { a: 1 }), NOT_FOUND);
  });

  it.each([
    ['GET', '/api/auth/signup'],
    ['DELETE', '/api/auth/signup'],
    ['PATCH', '/api/auth/refresh'],
    ['POST', '/api/auth/profile'],
    ['PUT', '/health/live'],
    ['OPTIONS', '/api/auth/signup'],
  ])('by %s %s finds nothing', async (method, path) => {
    expectProblem(await app.request(method, path), NOT_FOUND);
  });
});

describe('X-Request-Id', () => {
  it.each(['a', 'A-Z_0.9', 'x'.repeat(64)])('is %s where the request says so', async (id) => {
    const headers = { 'x-request-id': id };
    expect((await app.get('/health/live', headers)).headers.get('x-request-id')).toBe(id);
    for (const path of ['/nope', '/%zz', '/api/auth/profile']) {
      const answer = await app.get(path, headers);
      expect(answer.headers.get('x-request-id')).toBe(id);
      expect(answer.body).toMatchObject({ request_id: id });
    }
  });

  it.each(['', 'x'.repeat(65), 'a b', 'a/b', 'é', 'a,b', '<script>', "'; DROP TABLE users"])(
    'is a new one where the request says "%s"',
    async (id) => {
      for (const path of ['/health/live', '/nope', '/%zz']) {
        const answer = await app.get(path, { 'x-request-id': id });
        expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      }
    },
  );

  it('is another for each request', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.get('/health/live')));
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(20);
  });
});

describe('security headers', () => {
  it.each([
    { status: 200, to: 'GET /health/live' },
    { status: 200, to: 'GET /health/ready' },
    { status: 200, to: 'POST /api/auth/signup', body: { phone_number: aPhoneNumber() } },
    { status: 200, to: 'GET /dev/inbox' },
    { status: 200, to: 'GET /dev/inbox/messages' },
    { status: 200, to: 'GET /docs' },
    { status: 200, to: 'GET /docs/openapi.json' },
    { status: 400, to: 'GET /%zz' },
    { status: 401, to: 'GET /api/auth/profile' },
    { status: 404, to: 'GET /nope' },
    {
      status: 404,
      to: 'POST /api/auth/verify-otp',
      body: { phone_number: aPhoneNumber(), otp_code: '4821' },
    },
    { status: 413, to: 'POST /api/auth/signup', body: { phone_number: '0'.repeat(65_536) } },
    { status: 422, to: 'POST /api/auth/signup', body: {} },
  ])('stand on the answer $status to $to', async ({ status, to, body }) => {
    const [method = '', path = ''] = to.split(' ');
    const answer = await app.request(method, path, { body });
    expect(answer.status).toBe(status);
    expectHeaders(answer);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'strict-transport-security': expect.stringMatching(/^max-age=\d{8}/),
      'x-frame-options': 'DENY',
      'content-type': expect.stringMatching(/; charset=utf-8$/i),
    });
  });

  it('stand on an answer without a body', async () => {
    const { bearer } = await app.signIn();
    const answer = await app.post('/api/auth/logout', undefined, bearer);
    expect(answer).toMatchObject({ status: 204, body: '' });
    expectHeaders(answer);
  });

  it.each(['/.well-known/jwks.json', '/docs/errors', '/docs/swagger-ui.css'])(
    'stand on %s, which may be kept',
    async (path) => {
      const answer = await app.get(path);
      expectHeaders(answer, /^public, max-age=\d+$/);
    },
  );

  it('let no other page in, and no script of another server', async () => {
    const { headers } = await app.get('/docs');
    expect(headers.get('content-security-policy')).toMatch(/script-src 'self'(;|$)/);
    expect(
      (await app.get('/health/live', { origin: 'https://evil.example' })).headers.has(
        'access-control-allow-origin',
      ),
    ).toBe(false);
  });
});

describe('an error that nobody foresaw', () => {
  it('is answered without its inside, which is logged with the request id', async () => {
    const broken = await TestApp.start({ database: await harness.database() });
    await broken.sql('ALTER TABLE phone_limits RENAME TO phone_limits_gone');
    const answer = await broken.signup(aPhoneNumber());
    expectProblem(answer, { status: 500, code: 'internal_error' });
    expectHeaders(answer);
    expect(JSON.stringify(answer.body)).not.toMatch(/phone_limits|relation|insert|stack|\.js/i);
    const errors = linesOf(broken, answer.body.request_id).filter(({ level }) => level === 'error');
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'internal_error',
        err: expect.objectContaining({ message: expect.stringContaining('phone_limits'), code: '42P01' }),
      }),
    ]);
  });
});

describe('while the database is away', () => {
  let database: string;
  let wire: Wire;
  let own: TestApp;
  beforeAll(async () => {
    database = await harness.database();
    wire = await Wire.to(database);
    own = await TestApp.start({ database: wire.url });
  });
  afterAll(() => wire.cut());

  const requests = async (bearer: Record<string, string>): Promise<Answer[]> => [
    await own.signup(aPhoneNumber()),
    await own.verify(aPhoneNumber(), '4821'),
    await own.get('/api/auth/profile', bearer),
    await own.get('/health/ready'),
  ];

  const name = () => new URL(database).pathname.slice(1);
  const shut = async () => {
    await app.sql(`ALTER DATABASE ${name()} ALLOW_CONNECTIONS false`);
    await app.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name()]);
  };
  const reopen = async () => {
    await app.sql(`ALTER DATABASE ${name()} ALLOW_CONNECTIONS true`);
  };

  it.each<[how: string, leave: () => Promise<void>, comeBack: () => Promise<void>]>([
    ['unreachable', () => wire.cut(), () => wire.mend()],
    ['closed to everybody', shut, reopen],
  ])('and %s, says so, lives, and serves again once it is back', async (_how, leave, comeBack) => {
    const { bearer, refreshToken } = await own.signIn();
    await leave();
    try {
      for (const answer of await requests(bearer)) {
        expectProblem(answer, UNAVAILABLE);
        expectHeaders(answer);
      }
      expectProblem(await own.post('/api/auth/refresh', { refresh_token: refreshToken }), UNAVAILABLE);
      expect(await own.get('/health/live')).toMatchObject({ status: 200, body: { status: 'ok' } });
      expect((await own.get('/.well-known/jwks.json')).status).toBe(200);
    } finally {
      await comeBack();
    }
    expect((await requests(bearer)).map(({ status }) => status)).toEqual([200, 404, 200, 200]);
    expect((await own.post('/api/auth/refresh', { refresh_token: refreshToken })).status).toBe(200);
  });

  it('and silent, is not ready, and keeps nobody waiting for ever', async () => {
    const { bearer } = await own.signIn();
    wire.hang();
    try {
      const asked = own.get('/api/auth/profile', bearer);
      expectProblem(await own.get('/health/ready'), UNAVAILABLE);
      expect((await own.get('/health/live')).status).toBe(200);
      expectProblem(await asked, UNAVAILABLE);
    } finally {
      await wire.cut();
      await wire.mend();
    }
  });
});

function post(headers: string, body: string): string {
  return `POST /api/auth/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;
}

function expectHeaders({ headers }: Answer, caching: string | RegExp = 'no-store'): void {
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
    'referrer-policy': 'no-referrer',
    'cache-control': typeof caching === 'string' ? caching : expect.stringMatching(caching),
    'x-request-id': expect.any(String),
  });
  expect(headers.has('x-powered-by') || headers.has('server')).toBe(false);
}

function linesOf({ started }: TestApp, requestId: string): Record<string, unknown>[] {
  return started.log.lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ request_id }) => request_id === requestId);
}

/** Comes back once a line like that has been logged. */
async function logged({ started }: TestApp, is: (line: string) => boolean): Promise<void> {
  while (!started.log.lines.some(is)) await new Promise((resolve) => setTimeout(resolve, 10));
}
