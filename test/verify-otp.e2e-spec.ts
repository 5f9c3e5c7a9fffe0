import { aPhoneNumber, atOnce, aWrongCode, problem, tally, TestApp } from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

async function aCodeFor(phone: string, more: Record<string, unknown> = {}): Promise<string> {
  expect((await app.signup(phone, more)).status).toBe(200);
  return app.code(phone);
}

async function sessionsOf(phone: string): Promise<number> {
  const [row] = await app.sql<{ count: string }>(
    'SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.phone_number = $1',
    [phone],
  );
  return Number(row?.count);
}

describe('POST /api/auth/verify-otp', () => {
  it('makes the user of a new number and opens a session', async () => {
    const phone = aPhoneNumber();
    const answer = await app.verify(phone, await aCodeFor(phone), { device_name: "Ana's iPhone" });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      token_type: 'Bearer',
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      expires_in: 900,
      refresh_token: expect.stringMatching(/^[\w-]{75}$/),
      refresh_expires_in: 2_592_000,
      device_token: expect.stringMatching(/^[\w-]{70}$/),
      is_new_user: true,
      needs_profile_completion: true,
      user: {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        phone_number: phone,
        name: null,
        bio: null,
        location: null,
        birth_date: null,
        age: null,
        gender: null,
        event_interests: [],
        profile_pictures: [],
        coordinates: null,
        is_verified: true,
        needs_profile_completion: true,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    });
    const [session] = await app.sql('SELECT device_name, ip, code_length FROM sessions WHERE user_id = $1', [
      answer.body.user.id,
    ]);
    expect(session).toEqual({ device_name: "Ana's iPhone", ip: '127.0.0.1', code_length: 4 });
  });

  it('finds the user of a known number again', async () => {
    const first = await app.signIn();
    app.clock.advance(31);
    const again = await app.verify(first.phoneNumber, await aCodeFor(first.phoneNumber));
    expect(again.body).toMatchObject({ is_new_user: false, user: { id: first.id } });
  });

  it('takes code and number with spaces around and in them', async () => {
    const phone = aPhoneNumber();
    const code = await aCodeFor(phone);
    const spaced = ` ${phone.slice(0, 3)} (${phone.slice(3, 5)}) ${phone.slice(5, 10)}-${phone.slice(10)} `;
    expect((await app.verify(spaced, ` ${code}\n`)).status).toBe(200);
  });

  it.each(['', '123', '123456789', '12a4', '１２３４', '12 34', 1234])(
    'counts no guess for %j',
    async (code) => {
      const phone = aPhoneNumber();
      const right = await aCodeFor(phone);
      const answer = await app.post('/api/auth/verify-otp', { phone_number: phone, otp_code: code });
      expect(answer.body).toEqual(
        problem('validation_failed', { errors: [expect.objectContaining({ field: 'otp_code' })] }),
      );
      expect((await app.verify(phone, aWrongCode(right))).body.attempts_remaining).toBe(2);
    },
  );

  it('says how many guesses are left, then that none is, then nothing else', async () => {
    const phone = aPhoneNumber();
    const code = await aCodeFor(phone);
    const wrong = aWrongCode(code);
    for (const left of [2, 1, 0]) {
      const answer = await app.verify(phone, wrong);
      expect([answer.status, answer.body]).toEqual([
        401,
        problem('otp_invalid', { attempts_remaining: left }),
      ]);
    }
    app.clock.advance(12);
    const exceeded = await app.verify(phone, code);
    expect([exceeded.status, exceeded.body]).toEqual([
      429,
      problem('otp_attempts_exceeded', { retry_after: 18 }),
    ]);
    expect(exceeded.headers.get('retry-after')).toBe('18');
  });

  it('knows no code before one was asked for, nor after it was used', async () => {
    const phone = aPhoneNumber();
    expect((await app.verify(phone, '1234')).body).toEqual(problem('otp_not_found'));
    const code = await aCodeFor(phone);
    await app.verify(phone, code);
    const again = await app.verify(phone, code);
    expect([again.status, again.body]).toEqual([404, problem('otp_not_found')]);
  });

  it('answers expired to any guess after ten minutes, for a day, and counts none', async () => {
    const phone = aPhoneNumber();
    const code = await aCodeFor(phone);
    app.clock.advance(600);
    for (const guess of [code, aWrongCode(code), aWrongCode(code), aWrongCode(code), aWrongCode(code)]) {
      const answer = await app.verify(phone, guess);
      expect([answer.status, answer.body]).toEqual([410, problem('otp_expired')]);
    }
    app.clock.advance(24 * 60 * 60);
    expect((await app.verify(phone, code)).status).toBe(404);
  });

  it('puts expired before used-up guesses', async () => {
    const phone = aPhoneNumber();
    const wrong = aWrongCode(await aCodeFor(phone));
    for (let guess = 0; guess < 3; guess += 1) await app.verify(phone, wrong);
    expect((await app.verify(phone, wrong)).status).toBe(429);
    app.clock.advance(600);
    expect((await app.verify(phone, wrong)).status).toBe(410);
  });

  it('is good until the last moment', async () => {
    const phone = aPhoneNumber();
    const code = await aCodeFor(phone);
    app.clock.advance(595);
    expect((await app.verify(phone, code)).status).toBe(200);
  });

  it('tells a suspended user only after a right code, which is then used up', async () => {
    const user = await app.signIn();
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [user.id]);
    app.clock.advance(31);
    const code = await aCodeFor(user.phoneNumber);
    expect((await app.verify(user.phoneNumber, aWrongCode(code))).status).toBe(401);
    const answer = await app.verify(user.phoneNumber, code);
    expect([answer.status, answer.body]).toEqual([403, problem('account_suspended')]);
    expect((await app.verify(user.phoneNumber, code)).status).toBe(404);
    expect(await sessionsOf(user.phoneNumber)).toBe(1);
  });

  it('keeps the code good where the sign-in behind it fails', async () => {
    const phone = aPhoneNumber();
    const code = await aCodeFor(phone);
    await app.sql(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`,
    );
    await app.sql('CREATE TRIGGER refuse BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION refuse()');
    expect((await app.verify(phone, code)).body).toEqual(problem('internal_error'));
    await app.sql('DROP FUNCTION refuse CASCADE');
    expect((await app.verify(phone, code)).body.is_new_user).toBe(true);
  });
});

describe('a code', () => {
  it('opens nothing for another number', async () => {
    const [mine, other] = [aPhoneNumber(), aPhoneNumber()];
    const code = await aCodeFor(mine);
    await aCodeFor(other);
    if (code !== (await app.code(other))) expect((await app.verify(other, code)).status).toBe(401);
    expect((await app.verify(mine, code)).status).toBe(200);
  });

  it('opens nothing for another purpose, nor for another user', async () => {
    const asking = await app.signIn();
    const phone = aPhoneNumber();
    const requests = await app.started.provider<{ request(request: object): Promise<unknown> }>(
      'otp/otp-requests.service.js',
      'OtpRequests',
    );
    const guesses = await app.started.provider<{
      redeem(guess: object, work: () => Promise<string>): Promise<string>;
    }>('otp/otp-guesses.service.js', 'OtpGuesses');
    const clientIp = '127.0.0.1';
    const findOwner = () => Promise.resolve(undefined);
    await requests.request({
      phoneNumber: phone,
      purpose: 'phone_change',
      userId: asking.id,
      clientIp,
      findOwner,
    });
    const code = await app.code(phone);
    expect((await app.verify(phone, code)).body).toEqual(problem('otp_not_found'));

    const guess = { phoneNumber: phone, purpose: 'phone_change', code, clientIp };
    const moved = () => Promise.resolve('moved');
    const another = '01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07';
    await expect(guesses.redeem({ ...guess, userId: another }, moved)).rejects.toMatchObject({
      code: 'otp_not_found',
    });
    await expect(guesses.redeem({ ...guess, userId: asking.id }, moved)).resolves.toBe('moved');
  });

  it('that was asked for with a code_challenge is there for its code_verifier alone', async () => {
    const phone = aPhoneNumber();
    const { verifier, challenge } = aChallenge();
    const code = await aCodeFor(phone, { code_challenge: challenge });
    for (let guess = 0; guess < 5; guess += 1) {
      expect((await app.verify(phone, code)).status).toBe(404);
      expect((await app.verify(phone, code, { code_verifier: aChallenge().verifier })).status).toBe(404);
    }
    expect((await app.verify(phone, code, { code_verifier: verifier })).status).toBe(200);
  });

  it("stays good beside a stranger's signup for the same number", async () => {
    const phone = aPhoneNumber();
    const { verifier, challenge } = aChallenge();
    const mine = await aCodeFor(phone, { code_challenge: challenge });
    app.clock.advance(30);
    const strangers = await aCodeFor(phone);
    if (strangers !== mine) expect((await app.verify(phone, mine)).status).toBe(401);
    expect((await app.verify(phone, mine, { code_verifier: verifier })).status).toBe(200);
  });

  it('without a code_challenge is there for any verifier, unless a bound one is in any state', async () => {
    const phone = aPhoneNumber();
    const { verifier, challenge } = aChallenge();
    const unbound = await aCodeFor(phone);
    expect((await app.verify(phone, aWrongCode(unbound), { code_verifier: verifier })).status).toBe(401);
    app.clock.advance(30);
    const bound = await aCodeFor(phone, { code_challenge: challenge });
    expect((await app.verify(phone, bound, { code_verifier: verifier })).status).toBe(200);
    expect((await app.verify(phone, unbound, { code_verifier: verifier })).status).toBe(404);
    expect((await app.verify(phone, unbound)).status).toBe(200);
  });

  it('is kept only as a keyed hash', async () => {
    const phone = aPhoneNumber();
    const code = await aCodeFor(phone, { min_code_length: 8 });
    const [row] = await app.sql<{ text: string }>(
      `SELECT o::text AS text FROM phone_otps o WHERE phone_number = $1`,
      [phone],
    );
    expect(row?.text).toContain(phone);
    expect(row?.text).not.toContain(code);
  });
});

// The same against one instance and against two on one database.
describe.each([
  ['one replica', 1],
  ['two replicas', 2],
])('guesses at once, on %s', (_, replicas) => {
  let apps: TestApp[];
  beforeAll(async () => {
    apps = replicas === 1 ? [app] : [app, await app.replica()];
  });
  const some = (index: number): TestApp => apps[index % apps.length]!;

  it('takes three of sixty wrong ones', async () => {
    const phone = aPhoneNumber();
    const wrong = aWrongCode(await aCodeFor(phone));
    const answers = await atOnce(60, (index) => some(index).verify(phone, wrong));
    expect(tally(answers)).toEqual({ 401: 3, 429: 57 });
    const left = answers.filter(({ status }) => status === 401).map(({ body }) => body.attempts_remaining);
    expect(left.sort()).toEqual([0, 1, 2]);
    const [row] = await app.sql('SELECT attempts FROM phone_otps WHERE phone_number = $1', [phone]);
    expect(row).toEqual({ attempts: 3 });
  });

  it('opens one session for sixty right ones', async () => {
    const phone = aPhoneNumber();
    const code = await aCodeFor(phone);
    const answers = await atOnce(60, (index) => some(index).verify(phone, code));
    expect(tally(answers)[200]).toBe(1);
    expect(answers.filter(({ status }) => ![200, 404, 429].includes(status))).toEqual([]);
    expect(await sessionsOf(phone)).toBe(1);
  });

  it('lets at most the third of wrong and right ones in', async () => {
    const phone = aPhoneNumber();
    const code = await aCodeFor(phone);
    const wrong = aWrongCode(code);
    const answers = await atOnce(40, (index) => some(index).verify(phone, index % 4 ? wrong : code));
    expect(tally(answers)[200] ?? 0).toBeLessThanOrEqual(1);
    expect(tally(answers)[401] ?? 0).toBeLessThanOrEqual(3);
    expect(await sessionsOf(phone)).toBe(tally(answers)[200] ?? 0);
  });

  it('makes one user of twenty first sign-ins with codes of their own', async () => {
    const phone = aPhoneNumber();
    const bound: { verifier: string; code: string }[] = [];
    for (let device = 0; device < 20; device += 1) {
      const { verifier, challenge } = aChallenge();
      bound.push({ verifier, code: await aCodeFor(phone, { code_challenge: challenge }) });
      await app.endWaits();
    }
    const answers = await atOnce(20, (index) => {
      const { verifier, code } = bound[index]!;
      return some(index).verify(phone, code, { code_verifier: verifier });
    });
    expect(tally(answers)).toEqual({ 200: 20 });
    expect(answers.filter(({ body }) => body.is_new_user)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.user.id)).size).toBe(1);
  });
});
