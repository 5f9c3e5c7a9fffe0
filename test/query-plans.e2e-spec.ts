import { sessionIdOf } from './helpers/access-token.js';
import { anAdministrator } from './helpers/administrator.js';
import { aPhoneNumber, type Answer, aWrongCode, harness, type SignedInUser, TestApp } from './helpers/app.js';
import { attack } from './helpers/breakers.js';
import { Client, countPeople, keysOf, POLICY } from './helpers/policy.js';
import { aSmallPicture, order, pictureIds, upload } from './helpers/pictures.js';
import { aProfile } from './helpers/profile.js';
import { replanned, slowPlans } from './helpers/query-plans.js';
import { routesOf } from './helpers/routes.js';

const USERS = 100_000;

let app: TestApp;
let ana: SignedInUser;
let admin: SignedInUser;
/** One of the many. */
let other: { id: string; phone_number: string; name: string };

beforeAll(async () => {
  app = await TestApp.start();
  await harness.populate(app.started.database, USERS, app.clock.now());
  await attack(app, 100_000, 20);
  await countPeople(app, 20_000);
  admin = await anAdministrator(app);
  await upload(app, admin, [await aSmallPicture()]);
  ana = await app.signIn();
  [other] = (await app.sql<typeof other>(
    `SELECT id, phone_number, name FROM users JOIN user_profiles ON user_id = id
     WHERE status = 'active' AND completed_at IS NOT NULL ORDER BY id OFFSET 50000 LIMIT 1`,
  )) as [typeof other];
}, 300_000);

/** What is slow in the statements that are sent while `work` runs. */
async function slowIn(work: () => Promise<unknown>): Promise<string[]> {
  const queries = await harness.queries(work);
  expect(queries).not.toHaveLength(0);
  return slowPlans(app.started.database, queries);
}

type Ask = () => Promise<Answer>;

const get = (path: () => string, as: () => SignedInUser) => () => app.get(path(), as().bearer);
const send = (method: string, path: () => string, as: () => SignedInUser, body?: object) => () =>
  app.request(method, path(), { body, headers: as().bearer });
const asAna = () => ana;
const asAdmin = () => admin;
const q = (text: string) => `/api/admin/users?q=${encodeURIComponent(text)}`;
const ofOther = (rest = '') => `/api/admin/users/${other.id}${rest}`;

/** The list page by page, each through an index. */
const pages = (path: () => string, as: () => SignedInUser) => async () => {
  let answer = await app.get(path(), as().bearer);
  for (let page = 1; page < 3 && answer.body.next_cursor !== null; page += 1) {
    const cursor = encodeURIComponent(String(answer.body.next_cursor));
    answer = await app.get(`${path()}&cursor=${cursor}`, as().bearer);
  }
  return answer;
};

async function codeFor(phoneNumber: string, ask: Ask): Promise<string> {
  await ask();
  return app.code(phoneNumber);
}

// In the order of a life. Each route of the app stands here, or among those that ask no table.
const REQUESTS: Record<string, Ask | Ask[]> = {
  'POST /api/auth/signup': [() => app.signup(aPhoneNumber()), () => app.signup(other.phone_number)],
  'POST /api/auth/verify-otp': [
    async () => {
      const phone = aPhoneNumber();
      const code = await codeFor(phone, () => app.signup(phone));
      await app.verify(phone, aWrongCode(code));
      await app.verify(aPhoneNumber(), code);
      return app.verify(phone, code);
    },
  ],
  'POST /api/auth/refresh': async () => {
    const { body } = await app.post('/api/auth/refresh', { refresh_token: ana.refreshToken });
    return app.post('/api/auth/refresh', { refresh_token: body.refresh_token });
  },
  'GET /api/auth/event-interests': get(() => '/api/auth/event-interests', asAna),
  'POST /api/auth/profile/pictures': async () => {
    const picture = await aSmallPicture();
    return upload(app, ana, [picture, picture]);
  },
  'PUT /api/auth/profile/pictures/order': async () => order(app, ana, (await pictureIds(app, ana)).reverse()),
  'POST /api/auth/complete-profile': () => app.post('/api/auth/complete-profile', aProfile(), ana.bearer),
  'GET /api/auth/profile': get(() => '/api/auth/profile', asAna),
  'PATCH /api/auth/profile': send('PATCH', () => '/api/auth/profile', asAna, {
    name: 'Ana Lima',
    event_interests: ['comedy'],
  }),
  'GET /api/auth/profile/pictures': get(() => '/api/auth/profile/pictures', asAna),
  'GET /pictures/:file': async () => {
    const { body } = await app.get('/api/auth/profile/pictures', ana.bearer);
    return app.get(new URL(String(body.items[0].url)).pathname);
  },
  'DELETE /api/auth/profile/pictures/:id': async () => {
    const [id] = await pictureIds(app, ana);
    return app.request('DELETE', `/api/auth/profile/pictures/${id}`, { headers: ana.bearer });
  },
  'PUT /api/auth/profile/coordinates': send('PUT', () => '/api/auth/profile/coordinates', asAna, {
    latitude: -23.55,
    longitude: -46.63,
  }),
  'GET /api/auth/profile/coordinates/history': pages(
    () => '/api/auth/profile/coordinates/history?limit=1',
    asAna,
  ),
  'GET /api/users': get(() => `/api/users?ids=${other.id},${ana.id}`, asAna),
  'GET /api/users/:id': get(() => `/api/users/${other.id}`, asAna),
  'GET /api/auth/sessions': get(() => '/api/auth/sessions', asAna),
  'GET /api/auth/activity': pages(() => '/api/auth/activity?limit=1', asAna),
  'GET /api/auth/account/export': get(() => '/api/auth/account/export', asAna),
  'PUT /api/auth/push-token': send('PUT', () => '/api/auth/push-token', asAna, {
    platform: 'ios',
    token: 'a'.repeat(64),
  }),
  'DELETE /api/auth/push-token': send('DELETE', () => '/api/auth/push-token', asAna),
  'GET /api/admin/users': [
    pages(() => '/api/admin/users?limit=7', asAdmin),
    pages(() => '/api/admin/users?limit=7&status=suspended', asAdmin),
    pages(() => '/api/admin/users?limit=7&status=deleted', asAdmin),
    pages(() => '/api/admin/users?limit=7&status=active', asAdmin),
    pages(() => `${q('maria')}&limit=7`, asAdmin),
    pages(() => `${q('m')}&limit=7`, asAdmin),
    pages(() => `${q('maria s')}&limit=7&status=suspended`, asAdmin),
    get(() => q(other.name), asAdmin),
    get(() => q('nobody of that name'), asAdmin),
    get(() => q(other.phone_number), asAdmin),
    get(() => q(other.id), asAdmin),
  ],
  'GET /api/admin/users/:id': get(() => ofOther(), asAdmin),
  'GET /api/admin/audit-log': [
    pages(() => '/api/admin/audit-log?limit=7', asAdmin),
    pages(() => `/api/admin/audit-log?limit=1&user_id=${other.id}`, asAdmin),
    pages(() => `/api/admin/audit-log?limit=1&actor_id=${admin.id}`, asAdmin),
    pages(() => '/api/admin/audit-log?limit=7&action=user_suspended', asAdmin),
    pages(() => '/api/admin/audit-log?limit=7&action=account_exported', asAdmin),
    pages(() => `/api/admin/audit-log?limit=7&action=signed_in&actor_id=${other.id}`, asAdmin),
    pages(() => '/api/admin/audit-log?limit=7&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z', asAdmin),
  ],
  'GET /api/admin/event-interests': pages(() => '/api/admin/event-interests?limit=5', asAdmin),
  'POST /api/admin/event-interests': send('POST', () => '/api/admin/event-interests', asAdmin, {
    name: 'Birds',
    description: 'Early mornings with field glasses',
  }),
  'PATCH /api/admin/event-interests/:id': send(
    'PATCH',
    () => '/api/admin/event-interests/0192a000-0000-7000-8000-000000000001',
    asAdmin,
    { is_active: false },
  ),
  'POST /api/admin/users/:id/suspend': send('POST', () => ofOther('/suspend'), asAdmin, { reason: 'Spam.' }),
  'POST /api/admin/users/:id/reactivate': send('POST', () => ofOther('/reactivate'), asAdmin),
  'DELETE /api/admin/users/:id/sessions': send('DELETE', () => ofOther('/sessions'), asAdmin),
  'GET /api/admin/sms': [
    get(() => '/api/admin/sms', asAdmin),
    get(() => '/api/admin/sms?country=BR&limit=7', asAdmin),
  ],
  'PUT /api/admin/sms/breakers/:scope': send('PUT', () => '/api/admin/sms/breakers/country:GL', asAdmin, {
    state: 'open',
  }),
  'DELETE /api/auth/profile/coordinates': send('DELETE', () => '/api/auth/profile/coordinates', asAna),
  'DELETE /api/auth/sessions/:id': async () => {
    app.clock.advance(31);
    const path = `/api/auth/sessions/${sessionIdOf(await app.signIn(ana.phoneNumber))}`;
    return app.request('DELETE', path, { headers: ana.bearer });
  },
  'POST /api/auth/phone-number': [
    send('POST', () => '/api/auth/phone-number', asAna, { phone_number: aPhoneNumber() }),
  ],
  'POST /api/auth/phone-number/verify': async () => {
    const phone = aPhoneNumber();
    const ask = send('POST', () => '/api/auth/phone-number', asAna, { phone_number: phone });
    const guess = { phone_number: phone, otp_code: await codeFor(phone, ask) };
    return app.post('/api/auth/phone-number/verify', guess, ana.bearer);
  },
  'DELETE /api/auth/sessions': send('DELETE', () => '/api/auth/sessions', asAna),
  'POST /api/auth/logout': async () => app.post('/api/auth/logout', undefined, (await app.signIn()).bearer),
  'DELETE /api/auth/account': send('DELETE', () => '/api/auth/account', asAna),
};

/** Those that ask no table that grows, and those of test mode. */
const OTHERS = [/^GET \/(?:health|metrics|docs|dev)\b/, 'GET /.well-known/jwks.json'];

const JOBS = [
  'otp-purge',
  'session-purge',
  'trail-purge',
  'picture-sweep',
  'signing-keys',
  'breaker-purge',
  'limits-purge',
];

describe(`among ${USERS} users, an index answers`, () => {
  it.each(Object.keys(REQUESTS))('%s', async (route) => {
    const asked = [REQUESTS[route]!].flat();
    for (const ask of asked) {
      const slow = await slowIn(async () => {
        const { status, body } = await ask();
        if (status >= 300) throw new Error(`${status}: ${JSON.stringify(body)}`);
      });
      expect(slow).toEqual([]);
    }
  });

  it.each(JOBS)('the job %s', async (task) => {
    // Files of this hour are let be.
    app.clock.advance(2 * 60 * 60);
    expect(await slowIn(() => app.runJob(task))).toEqual([]);
  });

  it('who waits for an address', async () => {
    const busy = await app.replica({ env: { ...POLICY, IP_PENDING_SENDS: '1' } });
    const client = new Client(busy);
    const { address } = await keysOf(busy, client);
    const [phone, waiting] = [aPhoneNumber(), aPhoneNumber()];
    await client.signup(phone);
    await client.signup(waiting);
    await app.sql(
      `INSERT INTO address_waits (scope, key, phone_key, since, has_returned, expected_until)
       SELECT 'address', CASE WHEN n <= 1000 THEN $1 ELSE n::text END, sha256(n::text::bytea), $2, true, $3
       FROM generate_series(1, 20000) AS n`,
      [address, busy.clock.now(), new Date(busy.clock.now().getTime() + 1000)],
    );
    await app.sql('ANALYZE address_waits');
    const slow = await slowIn(async () => {
      expect((await client.signup(waiting)).status).toBe(429);
      busy.clock.advance(60);
      await client.verify(phone, await busy.code(phone));
      expect((await client.signup(waiting)).status).toBe(200);
    });
    expect(slow).toEqual([]);
  });

  it('a delivery receipt', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    await app.sql(`UPDATE phone_otps SET message_sid = 'SM1' WHERE phone_number = $1`, [phone]);
    const receipts = await app.started.provider<{ take(reported: object): Promise<void> }>(
      'otp/receipts/delivery-receipts.service.js',
      'DeliveryReceipts',
    );
    const undelivered = { messageSid: 'SM1', status: 'undelivered', errorCode: 30006 };
    expect(await slowIn(() => receipts.take(undelivered))).toEqual([]);
    expect(await slowIn(() => receipts.take({ ...undelivered, messageSid: 'SM2' }))).toEqual([]);
  });

  it('who is near', async () => {
    const users = await app.started.provider<NearbyUsers>('users/users.service.js', 'UsersService');
    const place = { latitude: -23.55, longitude: -46.63, radius_m: 5000, limit: 50 };
    const [first, all] = [await users.findNear(place), await users.findNear({ ...place, radius_m: 2e7 })];
    expect([first.items.length, all.items.length]).toEqual([50, 50]);
    expect(await slowIn(() => users.findNear(place))).toEqual([]);
    expect(await slowIn(() => users.findNear({ ...place, cursor: first.next_cursor }))).toEqual([]);
    expect(await slowIn(() => users.findNear({ ...place, radius_m: 2e7 }))).toEqual([]);
  });
});

interface NearbyUsers {
  findNear(question: object): Promise<{ items: unknown[]; next_cursor: string | null }>;
}

it('the plans of the hot path are made once', async () => {
  const known = await app.signIn();
  await app.endWaits();
  const queries = await harness.queries(async () => {
    const phone = aPhoneNumber();
    for (const each of [known.phoneNumber, phone]) {
      await app.post('/api/auth/signup', { phone_number: each }, { 'idempotency-key': `plans-of-${each}` });
    }
    const code = await app.code(phone);
    await app.verify(phone, aWrongCode(code));
    const { body } = await app.verify(phone, code);
    await app.post('/api/auth/refresh', { refresh_token: body.refresh_token });
    await app.get('/api/auth/profile', { authorization: `Bearer ${body.access_token}` });
  });
  expect(queries.length).toBeGreaterThan(20);
  expect(await replanned(app.started.database, queries)).toEqual([]);
});

it('each route of the app is among those that are asked', () => {
  const isOther = (route: string) =>
    OTHERS.some((other) => (typeof other === 'string' ? other === route : other.test(route)));
  expect(
    routesOf(app)
      .filter((route) => !isOther(route))
      .sort(),
  ).toEqual(Object.keys(REQUESTS).sort());
});

it('a statement without an index is found out', async () => {
  const ask = (text: string, ...values: unknown[]) => slowPlans(app.started.database, [{ text, values }]);
  expect(await ask('SELECT user_id FROM user_profiles WHERE bio = $1', 'x')).toEqual([
    'SELECT user_id FROM user_profiles WHERE bio = $1: reads all of user_profiles',
  ]);
  expect(await ask('SELECT id FROM users WHERE id > $1 ORDER BY created_at LIMIT 10', NIL_ID)).toContainEqual(
    expect.stringContaining('sorts'),
  );
});

const NIL_ID = '00000000-0000-0000-0000-000000000000';
