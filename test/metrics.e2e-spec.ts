import { randomUUID } from 'node:crypto';

import { expectInvalidToken } from './helpers/access-token.js';
import { type Answer, aPhoneNumber, expectProblem, harness, problem, TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { aSmallPicture, upload } from './helpers/pictures.js';

const TOKEN = 'a-token-for-the-scraper';
const PRODUCTION = {
  NODE_ENV: 'production',
  SMS_MODE: 'test',
  SMS_ALLOWED_COUNTRIES: 'BR',
};

/** What a series shows; 0 where it is not there. */
async function valueOf(app: TestApp, series: string): Promise<number> {
  const line = (await textOf(app)).split('\n').find((line) => line.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

async function textOf(app: TestApp): Promise<string> {
  const { status, body } = await app.get('/metrics');
  expect(status).toBe(200);
  return body as string;
}

/** Requests are counted once they are answered: maybe a moment after the client has read the answer. */
const reaches = (app: TestApp, series: string, value: number) =>
  eventually(
    () => valueOf(app, series),
    (seen) => seen === value,
  );

afterEach(() => harness.closeApps());

describe('GET /metrics', () => {
  it('answers the text format of Prometheus, each metric explained and under a name of ours or of the process', async () => {
    const app = await TestApp.start();
    const { status, headers, body } = await app.get('/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const lines = (body as string).split('\n').filter(Boolean);
    const names = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2]);
    expect(names).toContain('process_cpu_seconds_total');
    expect(names).toContain('latchkey_http_request_duration_seconds');
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^(latchkey|process|nodejs)_[a-z0-9_]+$/);
    for (const line of lines)
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? (-?[\d.e+-]+|Nan|\+Inf))$/);
  });

  it('asks for METRICS_TOKEN where that is set, in any case of "bearer", and tells nothing without', async () => {
    const app = await TestApp.start({ env: { METRICS_TOKEN: TOKEN } });
    for (const authorization of [
      '',
      'Bearer',
      `Bearer ${TOKEN}x`,
      `Bearer x${TOKEN}`,
      `Basic ${TOKEN}`,
      TOKEN,
    ]) {
      expectInvalidToken(await app.get('/metrics', { authorization }));
    }
    expectInvalidToken(await app.get('/metrics'));
    const { bearer } = await app.signIn();
    expectInvalidToken(await app.get('/metrics', bearer));
    for (const authorization of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`]) {
      expect((await app.get('/metrics', { authorization })).status).toBe(200);
    }
  });

  it('is not there in production without METRICS_TOKEN, and is with it', async () => {
    const without = await TestApp.start({ env: PRODUCTION });
    expectProblem(await without.get('/metrics'), { status: 404, code: 'not_found' });
    expect((await without.get('/metrics', { authorization: `Bearer ${TOKEN}` })).status).toBe(404);
    const app = await TestApp.start({ env: { ...PRODUCTION, METRICS_TOKEN: TOKEN } });
    expectInvalidToken(await app.get('/metrics'));
    expect((await app.get('/metrics', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  it('counts each app of a process by itself', async () => {
    const [one, other] = [await TestApp.start(), await TestApp.start()];
    await one.signIn();
    expect(await valueOf(one, 'latchkey_sign_ins_total{outcome="new_user"}')).toBe(1);
    expect(await valueOf(other, 'latchkey_sign_ins_total{outcome="new_user"}')).toBe(0);
  });
});

describe('the metrics', () => {
  it('of requests are by route, method and status, and what is of no route is one', async () => {
    const app = await TestApp.start();
    const { bearer } = await app.signIn();
    for (const path of [randomUUID(), randomUUID(), 'x']) await app.get(`/api/users/${path}`, bearer);
    for (const path of ['/wp-login.php', '/.env', '/api/no']) await app.get(path);
    await app.request('PUT', '/api/auth/signup', { body: {} });
    const count = (labels: string) => `latchkey_http_request_duration_seconds_count{${labels}}`;
    await reaches(app, count('method="GET",route="/api/users/:id",status="404"'), 3);
    await reaches(app, count('method="GET",route="none",status="404"'), 3);
    await reaches(app, count('method="PUT",route="none",status="404"'), 1);
    await reaches(app, count('method="POST",route="/api/auth/verify-otp",status="200"'), 1);
    expect(await textOf(app)).not.toMatch(/wp-login|\.env/);
  });

  it('of the pool show its connections', async () => {
    const app = await TestApp.start();
    await app.signIn();
    const [all, idle] = [
      await valueOf(app, 'latchkey_database_connections'),
      await valueOf(app, 'latchkey_database_connections_idle'),
    ];
    expect(all).toBeGreaterThanOrEqual(1);
    expect(all).toBeLessThanOrEqual(5);
    expect(idle).toBeLessThanOrEqual(all);
    expect(await textOf(app)).toMatch(/^latchkey_database_waiting 0$/m);
  });

  it('of sign-ins tell new users from known ones and suspended ones, and count a repeat once', async () => {
    const app = await TestApp.start();
    const { phoneNumber, id } = await app.signIn();
    app.clock.advance(31);
    await app.signup(phoneNumber);
    const code = await app.code(phoneNumber);
    const key = { 'idempotency-key': randomUUID() };
    const verify = () => app.post('/api/auth/verify-otp', { phone_number: phoneNumber, otp_code: code }, key);
    for (let time = 1; time <= 3; time += 1) expect((await verify()).status).toBe(200);
    await app.sql("UPDATE users SET status = 'suspended' WHERE id = $1", [id]);
    app.clock.advance(31);
    await app.signup(phoneNumber);
    expect((await app.verify(phoneNumber, await app.code(phoneNumber))).status).toBe(403);
    for (const outcome of ['new_user', 'known_user', 'suspended']) {
      expect([outcome, await valueOf(app, `latchkey_sign_ins_total{outcome="${outcome}"}`)]).toEqual([
        outcome,
        1,
      ]);
    }
  });

  it('of refreshes tell rotations, repeats, thefts and rubbish apart, and of sessions why they ended', async () => {
    const app = await TestApp.start();
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const refresh = (token: string): Promise<Answer> =>
      app.post('/api/auth/refresh', { refresh_token: token });
    await refresh(ana.refreshToken);
    await refresh(ana.refreshToken);
    app.clock.advance(31);
    for (let time = 1; time <= 2; time += 1) {
      expect((await refresh(ana.refreshToken)).body).toEqual(problem('refresh_token_reused'));
    }
    await refresh('no token of ours');
    await app.post('/api/auth/logout', {}, ben.bearer);
    for (const [outcome, count] of [
      ['rotated', 1],
      ['repeated', 1],
      ['reused', 2],
      ['invalid', 1],
    ] as const) {
      const series = `latchkey_refreshes_total{outcome="${outcome}"}`;
      expect([outcome, await valueOf(app, series)]).toEqual([outcome, count]);
    }
    expect(await valueOf(app, 'latchkey_sessions_ended_total{reason="reuse"}')).toBe(1);
    expect(await valueOf(app, 'latchkey_sessions_ended_total{reason="logout"}')).toBe(1);
  });

  it('of sessions that end together count each of them', async () => {
    const app = await TestApp.start();
    const { phoneNumber, bearer } = await app.signIn();
    for (let time = 1; time <= 2; time += 1) {
      app.clock.advance(31);
      await app.signIn(phoneNumber);
    }
    await app.request('DELETE', '/api/auth/sessions', { headers: bearer });
    expect(await valueOf(app, 'latchkey_sessions_ended_total{reason="ended"}')).toBe(2);
  });

  it('of uploads tell what was kept from why it was not', async () => {
    const app = await TestApp.start();
    const user = await app.signIn();
    const small = await aSmallPicture();
    expect((await upload(app, user, [small, small])).status).toBe(201);
    expect((await upload(app, user, [Buffer.from('no picture')])).status).toBe(415);
    expect(await valueOf(app, 'latchkey_uploads_total{outcome="kept"}')).toBe(1);
    expect(await valueOf(app, 'latchkey_uploads_total{outcome="unsupported_picture"}')).toBe(1);
    expect(await valueOf(app, 'latchkey_pictures_total')).toBe(2);
  });

  it('of jobs tell runs that succeeded from those that failed', async () => {
    let isBroken = true;
    const handler = () => (isBroken ? Promise.reject(new Error('no')) : Promise.resolve());
    const app = await TestApp.start({ tasks: { 'test-job': { handler } } });
    const jobs = await app.jobs();
    const add = () => app.started.transaction((transaction) => jobs.add(transaction, 'test-job', {}));
    await add();
    await reaches(app, 'latchkey_job_runs_total{task="test-job",outcome="failed"}', 1);
    isBroken = false;
    await add();
    await eventually(
      () => valueOf(app, 'latchkey_job_runs_total{task="test-job",outcome="succeeded"}'),
      (seen) => seen >= 1,
    );
  });

  it('of limits count who was refused, and by which', async () => {
    const app = await TestApp.start({
      env: { RATE_LIMIT_PER_MINUTE: '12', RATE_LIMIT_ANONYMOUS_PER_MINUTE: '10' },
    });
    const { bearer } = await app.signIn();
    for (let time = 1; time <= 11; time += 1) await app.get('/api/auth/account/export', bearer);
    for (let time = 1; time <= 4; time += 1) await app.get('/api/auth/profile', bearer);
    for (let time = 1; time <= 12; time += 1) await app.get('/api/auth/event-interests');
    expect(await valueOf(app, 'latchkey_rate_limited_total{client="session",limit="route"}')).toBe(1);
    expect(await valueOf(app, 'latchkey_rate_limited_total{client="session",limit="all"}')).toBe(3);
    expect(await valueOf(app, 'latchkey_rate_limited_total{client="address",limit="all"}')).toBe(5);
  });

  it('hold no number, id or address of anybody', async () => {
    const app = await TestApp.start();
    const user = await app.signIn();
    await app.get(`/api/users/${user.id}`, user.bearer);
    await app.get(`/dev/inbox/messages?to=${encodeURIComponent(user.phoneNumber)}`);
    const wrong = aPhoneNumber();
    await app.verify(wrong, '1234');
    const text = await textOf(app);
    for (const secret of [
      user.phoneNumber.slice(1),
      user.id,
      wrong.slice(1),
      '127.0.0.1',
      user.accessToken,
    ]) {
      expect(text).not.toContain(secret);
    }
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-|\d{10}"/);
  });
});
