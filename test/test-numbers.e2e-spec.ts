import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import {
  aPhoneNumber,
  type Answer,
  atOnce,
  aWrongCode,
  expectProblem,
  type SignedInUser,
  type StartOptions,
  tally,
  TestApp,
} from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';
import { latchkey } from './helpers/command-line.js';
import { ask, move } from './helpers/phone-change.js';
import { aProfile, givePicture } from './helpers/profile.js';

const CODE = '83120467';
const DAY = 24 * 60 * 60;

let plain: TestApp;
beforeAll(async () => {
  plain = await TestApp.start();
});

let lastFictional = randomInt(9_000);

/** A number that is none, as films have them. */
function aFictionalNumber(): string {
  lastFictional += 1;
  return `+1555555${String(lastFictional).padStart(4, '0')}`;
}

/** The last day of an entry, so many days ahead. */
function dayIn(days: number, from = new Date()): string {
  return new Date(from.getTime() + days * DAY * 1000).toISOString().slice(0, 10);
}

function entriesOf(numbers: readonly string[], { code = CODE, days = 30 } = {}): Record<string, string> {
  return { OTP_TEST_NUMBERS: numbers.map((number) => `${number}=${code}@${dayIn(days)}`).join(',') };
}

/** An app with these test numbers, on the database that all tests of this file share. */
function appWith(numbers: readonly string[], { env, ...options }: StartOptions = {}): Promise<TestApp> {
  return TestApp.start({ ...options, env: { ...entriesOf(numbers), ...env } });
}

async function signIn(app: TestApp, phoneNumber: string, code = CODE): Promise<SignedInUser> {
  expect((await app.signup(phoneNumber)).status).toBe(200);
  const { status, body } = await app.verify(phoneNumber, code);
  expect([status, body]).toEqual([200, expect.anything()]);
  const bearer = { authorization: `Bearer ${body.access_token}` };
  const { access_token: accessToken, refresh_token: refreshToken } = body;
  return { phoneNumber, id: body.user.id, accessToken, refreshToken, bearer };
}

function deleteAccount(app: TestApp, headers: Record<string, string>): Promise<Answer> {
  return app.request('DELETE', '/api/auth/account', { headers });
}

async function accountOf(phoneNumber: string): Promise<{ id: string; is_test: boolean } | undefined> {
  const rows = await plain.sql<{ id: string; is_test: boolean }>(
    'SELECT id, is_test FROM users WHERE phone_number = $1',
    [phoneNumber],
  );
  return rows[0];
}

function auditOf(userId: string, action: string): Promise<unknown[]> {
  return plain.sql(
    `SELECT actor_id, object_type, object_id, ip, payload FROM audit_log WHERE object_id = $1 AND action = $2`,
    [userId, action],
  );
}

const isRefused = (answer: Answer) => expectProblem(answer, { status: 403, code: 'test_account' });

describe('a test number', () => {
  it('signs in with its fixed code and no other, and is sent nothing', async () => {
    const fictional = aFictionalNumber();
    const valid = aPhoneNumber();
    const sent: string[] = [];
    const send = ({ to }: { to: string }) => {
      sent.push(to);
      return Promise.resolve({ fate: 'accepted' });
    };
    const app = await appWith([fictional, valid], { send });
    const other = aPhoneNumber();
    const { body: usual } = await app.signup(other, { min_code_length: 8 });
    for (const number of [fictional, valid]) {
      const answer = await app.signup(` ${number.slice(0, 5)} (${number.slice(5, 7)}) ${number.slice(7)} `);
      expect([answer.status, answer.body]).toEqual([200, { ...usual, phone_number: number }]);
      const wrong = await app.verify(number, aWrongCode(CODE));
      expectProblem(wrong, { status: 401, code: 'otp_invalid', attempts_remaining: 2 });
      const { status, body } = await app.verify(number, CODE);
      expect([status, body]).toEqual([200, expect.objectContaining({ is_new_user: true })]);
      expect(body.user.phone_number).toBe(number);
      expectProblem(await app.verify(number, CODE), { status: 404, code: 'otp_not_found' });
      expect(await accountOf(number)).toEqual({ id: body.user.id, is_test: true });
    }
    expect(sent).toEqual([other]);
  });

  it('shows nothing in the inbox of test mode', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    await signIn(app, number);
    expect(await app.texts(number)).toEqual([]);
  });

  it('comes back to its account', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    const first = await signIn(app, number);
    app.clock.advance(31);
    await app.signup(number);
    const { body } = await app.verify(number, CODE);
    expect([body.is_new_user, body.user.id]).toEqual([false, first.id]);
  });

  it('waits between two codes like any other, and repeats an answer that was lost', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    const key = { 'idempotency-key': 'a-key-of-sixteen-characters' };
    const signup = () => app.post('/api/auth/signup', { phone_number: number }, key);
    const first = await signup();
    expect([first.status, (await signup()).body]).toEqual([200, first.body]);
    const again = await app.signup(number);
    expectProblem(again, {
      status: 429,
      code: 'otp_cooldown',
      retry_after: Number(again.headers.get('retry-after')),
    });
  });

  it('takes three guesses a code, of however many at once', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    await app.signup(number);
    const answers = await atOnce(40, () => app.verify(number, aWrongCode(CODE)));
    expect(tally(answers)).toEqual({ 401: 3, 429: 37 });
    expect((await app.verify(number, CODE)).body.code).toBe('otp_attempts_exceeded');
  });

  it('has a code of its own length, whatever is asked for', async () => {
    const number = aFictionalNumber();
    const app = await appWith([], { env: entriesOf([number], { code: '1234' }) });
    const { body } = await app.signup(number, { min_code_length: 8 });
    expect(body.code_length).toBe(4);
    expect((await app.verify(number, '1234')).status).toBe(200);
  });

  it('keeps a bound code for its client', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    const { verifier, challenge } = aChallenge();
    await app.signup(number, { code_challenge: challenge });
    expectProblem(await app.verify(number, CODE), { status: 404, code: 'otp_not_found' });
    expect((await app.verify(number, CODE, { code_verifier: verifier })).status).toBe(200);
  });

  it('need not be of a country or kind that may sign in', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number], { env: { SMS_ALLOWED_COUNTRIES: 'PT' } });
    expectProblem(await app.signup(aPhoneNumber()), { status: 422, code: 'phone_number_unsupported' });
    await signIn(app, number);
  });

  it('is written down with each use, and never in full', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number], { env: { LOG_LEVEL: 'debug' } });
    const { id } = await signIn(app, number);
    const masked = `+1555*****${number.slice(-2)}`;
    expect(await auditOf(id, 'test_number_used')).toEqual([
      {
        actor_id: id,
        object_type: 'user',
        object_id: id,
        ip: '127.0.0.1',
        payload: { phone_number: masked },
      },
    ]);
    const lines = app.started.log.lines.join('');
    expect(lines).not.toContain(number);
    expect(lines).not.toContain(CODE);
    const [said] = app.started.log.lines.filter((line) => line.includes('a test number signs in'));
    expect(JSON.parse(said ?? '{}')).toMatchObject({ number: masked, until: `${dayIn(31)}T00:00:00.000Z` });
  });

  it('of a suspended account does not sign in', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    const { id } = await signIn(app, number);
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [id]);
    app.clock.advance(31);
    await app.signup(number);
    expectProblem(await app.verify(number, CODE), { status: 403, code: 'account_suspended' });
  });
});

describe('a test number whose code was changed', () => {
  it('takes the new one alone, though the old one is pending', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    await app.signup(number);
    const restarted = await app.replica({ env: entriesOf([number], { code: '55512399' }) });
    for (const code of [CODE, '55512399']) {
      expect((await restarted.verify(number, code)).body).toMatchObject({ code: 'otp_invalid' });
    }
    app.clock.advance(31);
    await signIn(restarted, number, '55512399');
  });
});

describe('an expired test number', () => {
  it('is one like any other from its last day on, in a server that runs', async () => {
    const [fictional, valid] = [aFictionalNumber(), aPhoneNumber()];
    const app = await appWith([fictional, valid]);
    await signIn(app, valid);
    const nextDay = new Date(`${dayIn(31)}T00:00:00.000Z`).getTime();
    app.clock.advance((nextDay - app.clock.now().getTime()) / 1000 - 60);
    for (const number of [fictional, valid]) expect((await app.signup(number)).status).toBe(200);
    app.clock.advance(61);
    // The code that is pending was the fixed one.
    expectProblem(await app.verify(valid, CODE), { status: 401, code: 'otp_invalid', attempts_remaining: 2 });
    const others = await plain.signup(aFictionalNumber());
    for (const answer of [await app.signup(fictional), await app.verify(fictional, CODE)]) {
      expectProblem(answer, { status: 422, code: others.body.code });
    }
    expect((await app.signup(valid)).body.code_length).toBe(4);
    expect((await app.verify(valid, await app.code(valid))).status).toBe(200);
  });

  it('is told at boot, and does not keep the server from starting', async () => {
    const number = aPhoneNumber();
    await plain.signIn(number);
    const app = await appWith([], { env: entriesOf([number], { days: -1 }) });
    const [warning] = app.started.log.lines.filter((line) => line.includes('OTP_TEST_NUMBERS'));
    expect(warning).toContain(`entry 1 (${number.slice(0, 5)}*******${number.slice(-2)}) has expired`);
    expect(warning).not.toContain(CODE);
  });

  it('whose owner signs in gives them an account of their own, and ends that of the reviewers', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    const reviewer = await signIn(app, number);
    const bystander = await app.signIn();
    app.clock.advance(31);
    const without = await app.replica();
    await without.signup(number);
    const { body } = await without.verify(number, await without.code(number));
    expect(body).toMatchObject({ is_new_user: true, needs_profile_completion: true });
    expect(await accountOf(number)).toEqual({ id: body.user.id, is_test: false });
    expect(body.user.id).not.toBe(reviewer.id);
    expect(await app.sql('SELECT status, is_test FROM users WHERE id = $1', [reviewer.id])).toEqual([
      { status: 'deleted', is_test: false },
    ]);
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1', [reviewer.id])).toEqual([]);
    expect((await without.get('/api/auth/profile', reviewer.bearer)).status).toBe(401);
    const refreshed = await without.post('/api/auth/refresh', { refresh_token: reviewer.refreshToken });
    expectProblem(refreshed, { status: 401, code: 'refresh_token_invalid' });
    expect(await auditOf(reviewer.id, 'test_account_replaced')).toHaveLength(1);
    const owner = { authorization: `Bearer ${body.access_token}` };
    expect((await without.get('/api/auth/profile', owner)).status).toBe(200);
    expect((await deleteAccount(without, owner)).status).toBe(204);
    expect((await without.get('/api/auth/profile', bystander.bearer)).status).toBe(200);
  });

  it('is not given to its owner twice, by two codes at once on two replicas', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    const reviewer = await signIn(app, number);
    const replicas = [await app.replica(), await app.replica()];
    const codes: { code: string; verifier: string }[] = [];
    for (const replica of replicas) {
      app.clock.advance(31);
      const { verifier, challenge } = aChallenge();
      await replica.signup(number, { code_challenge: challenge });
      codes.push({ verifier, code: await replica.code(number) });
    }
    const answers = await Promise.all(
      codes.map(({ code, verifier }, index) =>
        replicas[index]!.verify(number, code, { code_verifier: verifier }),
      ),
    );
    expect(tally(answers)).toEqual({ 200: 2 });
    expect(answers.map(({ body }) => body.is_new_user).sort()).toEqual([false, true]);
    const [one, other] = answers.map(({ body }) => body.user.id);
    expect(one).toBe(other);
    expect(one).not.toBe(reviewer.id);
    expect(await auditOf(reviewer.id, 'test_account_replaced')).toHaveLength(1);
  });
});

describe('a test account', () => {
  let app: TestApp;
  let reviewer: SignedInUser;
  beforeAll(async () => {
    const number = aFictionalNumber();
    app = await appWith([number], { env: { ACCESS_TOKEN_TTL_SECONDS: '3600' } });
    reviewer = await signIn(app, number);
  });

  it('has a profile like any other', async () => {
    expect((await app.get('/api/auth/profile', reviewer.bearer)).status).toBe(200);
    expect((await app.get('/api/auth/sessions', reviewer.bearer)).body.items).toHaveLength(1);
  });

  it.each<[string, () => Promise<Answer>]>([
    ['moved to another number', () => ask(app, reviewer, aPhoneNumber())],
    ['moved with a code', () => move(app, reviewer, aPhoneNumber(), CODE)],
    ['deleted', () => deleteAccount(app, reviewer.bearer)],
    ['exported', () => app.get('/api/auth/account/export', reviewer.bearer)],
  ])('is not %s, however long ago the sign-in', async (_, request) => {
    isRefused(await request());
    app.clock.advance(601);
    isRefused(await request());
    expect(await accountOf(reviewer.phoneNumber)).toEqual({ id: reviewer.id, is_test: true });
  });

  it('is granted no role, by command line or by hand', async () => {
    const grant = latchkey(app.started.database, 'grant', 'admin', reviewer.phoneNumber);
    await expect(grant).rejects.toMatchObject({ stderr: expect.stringContaining('test account') });
    const byHand = app.sql(`UPDATE users SET roles = '{admin}' WHERE id = $1`, [reviewer.id]);
    await expect(byHand).rejects.toMatchObject({ constraint: 'users_test_check' });
  });
});

describe('moving to a test number', () => {
  it('is answered as moving to any other, and cannot be done, on a replica that knows it or not', async () => {
    const [test, other] = [aPhoneNumber(), aPhoneNumber()];
    const sent: string[] = [];
    const options = {
      // The code that somebody might guess.
      codes: () => '4821',
      send: ({ to }: { to: string }) => {
        sent.push(to);
        return Promise.resolve({ fate: 'accepted' });
      },
    };
    const app = await appWith([test], options);
    const without = await app.replica(options);
    const users: SignedInUser[] = [];
    for (let index = 0; index < 2; index += 1) {
      const phoneNumber = aPhoneNumber();
      users.push(await signIn(app, phoneNumber, '4821'));
    }
    const [ana, ben] = users as [SignedInUser, SignedInUser];
    sent.length = 0;
    const usual = await ask(app, ana, other);
    const answer = await ask(app, ana, test);
    expect([answer.status, answer.body]).toEqual([200, { ...usual.body, phone_number: test }]);
    expect(sent).toEqual([other]);
    for (const [replica, code] of [
      [app, CODE],
      [app, '4821'],
      [without, '4821'],
    ] as const) {
      expect((await move(replica, ana, test, code)).body).toMatchObject({ code: 'otp_invalid' });
    }
    // A code that the other replica has texted is no more good here.
    app.clock.advance(31);
    await ask(without, ben, test);
    expect((await move(app, ben, test, '4821')).body).toMatchObject({ code: 'otp_invalid' });
    expect(await accountOf(test)).toBeUndefined();
  });

  it('is refused as moving to any number that is none', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    const ana = await app.signIn();
    const usual = await ask(plain, ana, `+1555556${number.slice(-4)}`);
    expect(usual.status).toBe(422);
    for (const answer of [await ask(app, ana, number), await move(app, ana, number, CODE)]) {
      expectProblem(answer, { status: 422, code: usual.body.code });
    }
  });
});

describe('a number with an account that a texted code has made', () => {
  it('keeps a server from starting that has it as a test number, and is named without its digits and code', async () => {
    const [taken, free] = [aPhoneNumber(), aPhoneNumber()];
    const user = await plain.signIn(taken);
    const start = () => appWith([free, taken]);
    const error = await start().then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toContain(
      `OTP_TEST_NUMBERS has ${taken.slice(0, 5)}*******${taken.slice(-2)}: an account`,
    );
    expect(error?.message).not.toMatch(new RegExp([taken, free, CODE].map((text) => `\\${text}`).join('|')));
    expect((await deleteAccount(plain, user.bearer)).status).toBe(204);
    const restarted = await start();
    restarted.clock.advance(31);
    await signIn(restarted, taken);
    // And again, now that it has a test account.
    await start();
  });

  it('is opened by no fixed code, if a replica without the entry was faster', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    const without = await app.replica();
    const owner = await without.signIn(number);
    const signedInAt = () => app.sql('SELECT last_sign_in_at FROM users WHERE id = $1', [owner.id]);
    const before = await signedInAt();
    for (const headers of [undefined, { 'idempotency-key': 'a-key-of-sixteen-characters' }]) {
      app.clock.advance(31);
      await app.signup(number);
      const guess = { phone_number: number, otp_code: CODE };
      const answer = await app.post('/api/auth/verify-otp', guess, headers);
      expectProblem(answer, { status: 404, code: 'otp_not_found' });
    }
    const masked = `${number.slice(0, 5)}*******${number.slice(-2)}`;
    expect(await auditOf(owner.id, 'test_number_refused')).toEqual(
      Array.from({ length: 2 }, () =>
        expect.objectContaining({ actor_id: null, payload: { phone_number: masked } }),
      ),
    );
    expect(await signedInAt()).toEqual(before);
    expect((await without.get('/api/auth/sessions', owner.bearer)).body.items).toHaveLength(1);
    expect((await without.get('/api/auth/account/export', owner.bearer)).status).toBe(200);
  });

  it('takes codes of replicas of its own kind only', async () => {
    const [one, other] = [aPhoneNumber(), aPhoneNumber()];
    const app = await appWith([one, other], { codes: () => CODE });
    const without = await app.replica({ codes: () => CODE });
    await app.signup(one);
    await without.signup(other);
    // The digits are the same: what differs is who they were meant for.
    for (const answer of [await without.verify(one, CODE), await app.verify(other, CODE)]) {
      expectProblem(answer, { status: 401, code: 'otp_invalid', attempts_remaining: 2 });
    }
    expect((await app.verify(one, CODE)).status).toBe(200);
    expect((await without.verify(other, CODE)).status).toBe(200);
  });

  it('is never shared, whoever of the reviewers and its owner is first', async () => {
    const numbers = Array.from({ length: 16 }, () => aPhoneNumber());
    const app = await appWith(numbers);
    const without = await app.replica();
    const attempts = numbers.map((number) => ({ number, test: aChallenge(), own: aChallenge() }));
    await Promise.all(attempts.map((one) => app.signup(one.number, { code_challenge: one.test.challenge })));
    app.clock.advance(31);
    await Promise.all(
      attempts.map((one) => without.signup(one.number, { code_challenge: one.own.challenge })),
    );
    const codes = await Promise.all(numbers.map((number) => without.code(number)));
    const outcomes = await Promise.all(
      attempts.map(async ({ number, test, own }, index) => {
        // Head starts of either, from none to more than a sign-in takes: each order comes up, and what lies between.
        const late = delay(index * 10);
        const [reviewerStarts, ownerStarts] = index % 2 === 0 ? [undefined, late] : [late, undefined];
        const asReviewer = { code_verifier: test.verifier };
        const asOwner = { code_verifier: own.verifier };
        const [reviewer, owner] = await Promise.all([
          Promise.resolve(reviewerStarts).then(() => app.verify(number, CODE, asReviewer)),
          Promise.resolve(ownerStarts).then(() => without.verify(number, codes[index]!, asOwner)),
        ]);
        return { reviewer, owner };
      }),
    );
    for (const [index, { reviewer, owner }] of outcomes.entries()) {
      expect(owner.status).toBe(200);
      expect([200, 404]).toContain(reviewer.status);
      expect(await accountOf(numbers[index]!)).toEqual({ id: owner.body.user.id, is_test: false });
      const sessions = await app.sql('SELECT id FROM sessions WHERE user_id = $1', [owner.body.user.id]);
      expect(sessions).toHaveLength(1);
      if (reviewer.status === 404) continue;
      expect(reviewer.body.user.id).not.toBe(owner.body.user.id);
      const left = await app.sql('SELECT id FROM sessions WHERE user_id = $1', [reviewer.body.user.id]);
      expect(left).toEqual([]);
    }
  });
});

describe('the account of reviewers', () => {
  it('is erased with all that it holds once its number is somebody’s', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    const reviewer = await signIn(app, number);
    await givePicture(app, reviewer.id);
    const completed = await app.post('/api/auth/complete-profile', aProfile(), reviewer.bearer);
    expect(completed.status).toBe(200);
    app.clock.advance(31);
    const without = await app.replica();
    await without.signIn(number);
    expect(await app.sql('SELECT user_id FROM user_profiles WHERE user_id = $1', [reviewer.id])).toEqual([]);
    expect(await app.sql('SELECT id FROM profile_pictures WHERE user_id = $1', [reviewer.id])).toEqual([]);
    expect((await app.get(`/api/users/${reviewer.id}`, (await app.signIn()).bearer)).status).toBe(404);
  });
});
