import { randomUUID } from 'node:crypto';

import {
  type Answer,
  aPhoneNumber,
  atOnce,
  aWrongCode,
  problem,
  type SentText,
  tally,
  TestApp,
} from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';
import { Queue } from './helpers/queue.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const withKey = (key: string) => ({ 'idempotency-key': key });
const post = (path: string, body: unknown, key: string, on = app): Promise<Answer> =>
  on.post(`/api/auth/${path}`, body, withKey(key));

async function sessionsOf(phone: string): Promise<number> {
  const [row] = await app.sql<{ count: string }>(
    'SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.phone_number = $1',
    [phone],
  );
  return Number(row?.count);
}

async function attemptsOn(phone: string): Promise<number> {
  const [row] = await app.sql<{ attempts: number }>(
    'SELECT attempts FROM phone_otps WHERE phone_number = $1',
    [phone],
  );
  return row?.attempts ?? -1;
}

describe('an Idempotency-Key', () => {
  it.each(['short', 'a'.repeat(256), 'with a space inside', 'caf\u00e9-caf\u00e9-caf\u00e9-caf\u00e9'])(
    'is refused as %j',
    async (key) => {
      for (const path of ['signup', 'verify-otp', 'refresh']) {
        const body = { phone_number: aPhoneNumber(), otp_code: '1234', refresh_token: 'x' };
        const fields = {
          signup: ['phone_number'],
          'verify-otp': ['phone_number', 'otp_code'],
          refresh: ['refresh_token'],
        };
        const wanted = fields[path as keyof typeof fields];
        const answer = await post(
          path,
          Object.fromEntries(wanted.map((name) => [name, body[name as keyof typeof body]])),
          key,
        );
        expect([path, answer.status, answer.body]).toEqual([
          path,
          422,
          problem('validation_failed', {
            errors: [expect.objectContaining({ field: 'Idempotency-Key', code: 'format' })],
          }),
        ]);
      }
    },
  );

  it('is kept only as an HMAC', async () => {
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    await post('signup', { phone_number: phone }, key);
    const verified = await post('verify-otp', { phone_number: phone, otp_code: await app.code(phone) }, key);
    await post('refresh', { refresh_token: verified.body.refresh_token }, key);
    const rows = await app.sql<{ text: string }>(
      `SELECT o::text AS text FROM phone_otps o WHERE phone_number = $1
       UNION ALL SELECT s::text FROM sessions s WHERE user_id = $2`,
      [phone, verified.body.user.id],
    );
    expect(rows).toHaveLength(2);
    for (const { text } of rows) expect(text).not.toContain(key);
    expect(app.started.log.lines.join('')).not.toContain(key);
  });
});

describe('POST /api/auth/signup with a key', () => {
  it('answers a repeat the same while the code is pending, and sends no second text', async () => {
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    const first = await post('signup', { phone_number: phone, min_code_length: 6 }, key);
    app.clock.advance(31);
    const repeated = await post(
      'signup',
      { min_code_length: 6, phone_number: phone },
      key,
      await app.replica(),
    );
    expect([repeated.status, repeated.body]).toEqual([200, first.body]);
    expect(await app.texts(phone)).toHaveLength(1);
  });

  it('refuses another body under the same key', async () => {
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    await post('signup', { phone_number: phone }, key);
    for (const body of [{ phone_number: aPhoneNumber() }, { phone_number: phone, min_code_length: 8 }]) {
      const answer = await post('signup', body, key);
      expect([answer.status, answer.body]).toEqual([422, problem('idempotency_key_reused')]);
    }
  });

  it('is a new signup once the code was used, or has expired', async () => {
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    await post('signup', { phone_number: phone }, key);
    await app.verify(phone, await app.code(phone));
    app.clock.advance(31);
    expect((await post('signup', { phone_number: phone }, key)).status).toBe(200);
    expect(await app.texts(phone)).toHaveLength(2);
    app.clock.advance(601);
    expect((await post('signup', { phone_number: phone }, key)).status).toBe(200);
    expect(await app.texts(phone)).toHaveLength(3);
  });

  it('answers repeats at once what the first is answered, once its text has gone out', async () => {
    const sending = new Queue<() => void>();
    let texts = 0;
    const slow = await app.replica({
      send: () => {
        texts += 1;
        return new Promise((resolve) => sending.push(() => resolve({ fate: 'accepted' })));
      },
    });
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    const signup = () => post('signup', { phone_number: phone }, key, slow);
    const answers = atOnce(20, signup);
    const send = await sending.next();
    const late = signup();
    send();
    expect(tally([...(await answers), await late])).toEqual({ 200: 21 });
    expect(new Set((await answers).map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(texts).toBe(1);
  });

  it.each([
    ['refused', { fate: 'refused', code: 'phone_number_unreachable' }],
    ['sent to an unknown fate', { fate: 'unknown' }],
  ])('lets a repeat be tried afresh where the first was %s', async (_what, outcome) => {
    const sending = new Queue<() => void>();
    const slow = await app.replica({
      send: () => new Promise((resolve) => sending.push(() => resolve(outcome))),
    });
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    const signup = () => post('signup', { phone_number: phone }, key, slow);
    const first = signup();
    const send = await sending.next();
    const repeat = signup();
    send();
    expect((await first).status).toBeGreaterThanOrEqual(422);
    if (outcome.fate === 'refused') (await sending.next())();
    const { body } = await repeat;
    expect(body.code).toBe(outcome.fate === 'refused' ? 'phone_number_unreachable' : 'otp_cooldown');
  });

  it('keeps no refusal: what the provider did not take is tried afresh', async () => {
    const sent: SentText[] = [];
    let outcome: unknown = { fate: 'refused', code: 'sms_unavailable' };
    const own = await TestApp.start({
      send: (message) => {
        sent.push(message);
        return Promise.resolve(outcome);
      },
    });
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    expect((await post('signup', { phone_number: phone }, key, own)).status).toBe(503);
    outcome = { fate: 'accepted' };
    expect((await post('signup', { phone_number: phone }, key, own)).status).toBe(200);
    expect((await post('signup', { phone_number: phone }, key, own)).status).toBe(200);
    expect(sent).toHaveLength(2);
  });
});

describe('POST /api/auth/verify-otp with a key', () => {
  it('answers a repeat the same session, and takes no guess for it', async () => {
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    await app.signup(phone);
    const body = { phone_number: phone, otp_code: await app.code(phone) };
    const first = await post('verify-otp', body, key);
    // Started before: a start takes longer than the second that is left.
    const replica = await app.replica();
    app.clock.advance(59);
    const repeated = await post('verify-otp', body, key, replica);
    expect(repeated.status).toBe(200);
    expect(repeated.body.refresh_token).toBe(first.body.refresh_token);
    expect(repeated.body).toMatchObject({ is_new_user: true, user: first.body.user });
    const bearer = { authorization: `Bearer ${repeated.body.access_token}` };
    expect((await app.get('/api/auth/profile', bearer)).status).toBe(200);
    expect([await sessionsOf(phone), await attemptsOn(phone)]).toEqual([1, 1]);
  });

  it.each([
    ['one replica', 1],
    ['two replicas', 2],
  ])('makes repeats at once wait for the first, on %s: one session, one guess', async (_, replicas) => {
    const other = replicas === 2 ? await app.replica() : app;
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    await app.signup(phone);
    const body = { phone_number: phone, otp_code: await app.code(phone) };
    const answers = await atOnce(20, (index) => post('verify-otp', body, key, index % 2 ? app : other));
    expect(tally(answers)).toEqual({ 200: 20 });
    expect(new Set(answers.map(({ body: { refresh_token } }) => refresh_token)).size).toBe(1);
    expect([await sessionsOf(phone), await attemptsOn(phone)]).toEqual([1, 1]);
  });

  it('is no oracle: under a known key, three of many guesses are taken', async () => {
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    await app.signup(phone);
    const code = await app.code(phone);
    const wrong = Array.from({ length: 200 }, (_, index) => String(index).padStart(4, '0')).filter(
      (guess) => guess !== code,
    );
    const answers = await atOnce(wrong.length, (index) =>
      post('verify-otp', { phone_number: phone, otp_code: wrong[index] }, key),
    );
    expect(tally(answers)).toEqual({ 401: 3, 429: wrong.length - 3 });
    expect((await post('verify-otp', { phone_number: phone, otp_code: code }, key)).status).toBe(429);
  });

  it('tells nothing of a session to who has the key, and not the code, the number or the verifier', async () => {
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    const { verifier, challenge } = aChallenge();
    await app.signup(phone, { code_challenge: challenge });
    const code = await app.code(phone);
    const body = { phone_number: phone, otp_code: code, code_verifier: verifier };
    expect((await post('verify-otp', body, key)).status).toBe(200);
    for (const change of [
      { otp_code: aWrongCode(code) },
      { code_verifier: aChallenge().verifier },
      { code_verifier: undefined },
      { phone_number: aPhoneNumber() },
    ]) {
      expect((await post('verify-otp', { ...body, ...change }, key)).status).toBe(404);
    }
    expect((await post('verify-otp', body, randomUUID())).status).toBe(404);
  });

  it('revives no session that has ended, was refreshed, or is a minute old', async () => {
    const signIn = async () => {
      const [phone, key] = [aPhoneNumber(), randomUUID()];
      await app.signup(phone);
      const body = { phone_number: phone, otp_code: await app.code(phone) };
      const { body: tokens } = await post('verify-otp', body, key);
      return { repeat: () => post('verify-otp', body, key), tokens };
    };
    const [ended, refreshed, old] = [await signIn(), await signIn(), await signIn()];
    await app.post('/api/auth/logout', { refresh_token: ended.tokens.refresh_token });
    await app.post('/api/auth/refresh', { refresh_token: refreshed.tokens.refresh_token });
    expect((await ended.repeat()).status).toBe(404);
    expect((await refreshed.repeat()).status).toBe(404);
    app.clock.advance(60);
    expect((await old.repeat()).status).toBe(404);
  });

  it('counts a wrong guess, and says what is left', async () => {
    const [phone, key] = [aPhoneNumber(), randomUUID()];
    await app.signup(phone);
    const wrong = aWrongCode(await app.code(phone));
    for (const left of [2, 1, 0]) {
      const answer = await post('verify-otp', { phone_number: phone, otp_code: wrong }, key);
      expect(answer.body).toEqual(problem('otp_invalid', { attempts_remaining: left }));
    }
    expect(await attemptsOn(phone)).toBe(3);
  });
});

describe('POST /api/auth/refresh with a key', () => {
  it('answers the same successor for a day, to the same token and key', async () => {
    const [ana, key] = [await app.signIn(), randomUUID()];
    const first = await post('refresh', { refresh_token: ana.refreshToken }, key);
    app.clock.advance(23 * 60 * 60);
    const repeated = await post('refresh', { refresh_token: ana.refreshToken }, key);
    expect([repeated.status, repeated.body.refresh_token]).toEqual([200, first.body.refresh_token]);
    app.clock.advance(60 * 60);
    expect((await post('refresh', { refresh_token: ana.refreshToken }, key)).body).toEqual(
      problem('refresh_token_reused'),
    );
  });

  it('takes another key, or none, for theft after the grace', async () => {
    for (const key of [randomUUID(), undefined]) {
      const ana = await app.signIn();
      await post('refresh', { refresh_token: ana.refreshToken }, randomUUID());
      app.clock.advance(31);
      const body = { refresh_token: ana.refreshToken };
      const answer = await app.post('/api/auth/refresh', body, key && withKey(key));
      expect(answer.body).toEqual(problem('refresh_token_reused'));
    }
  });

  it('revives no session that has ended, and none that was refreshed since', async () => {
    const [ana, ben, key] = [await app.signIn(), await app.signIn(), randomUUID()];
    for (const user of [ana, ben]) await post('refresh', { refresh_token: user.refreshToken }, key);
    await app.post('/api/auth/logout', undefined, ana.bearer);
    expect((await post('refresh', { refresh_token: ana.refreshToken }, key)).body).toEqual(
      problem('refresh_token_invalid'),
    );
    const { body } = await post('refresh', { refresh_token: ben.refreshToken }, key);
    await app.post('/api/auth/refresh', { refresh_token: body.refresh_token });
    expect((await post('refresh', { refresh_token: ben.refreshToken }, key)).body).toEqual(
      problem('refresh_token_reused'),
    );
  });
});
