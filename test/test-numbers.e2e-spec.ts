import { aPhoneNumber, atOnce, aWrongCode, expectProblem, harness, tally, TestApp } from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';
import {
  accountOf,
  aFictionalNumber,
  appWith,
  auditOf,
  CODE,
  dayIn,
  deleteAccount,
  entriesOf,
  signInWithFixedCode,
} from './helpers/test-numbers.js';

// One that knows no test number.
let plain: TestApp;
beforeEach(async () => {
  plain = await TestApp.start();
});
afterEach(() => harness.closeApps());

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
      expect(await accountOf(plain, number)).toEqual({ id: body.user.id, is_test: true });
    }
    expect(sent).toEqual([other]);
  });

  it('shows nothing in the inbox of test mode', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    await signInWithFixedCode(app, number);
    expect(await app.texts(number)).toEqual([]);
  });

  it('comes back to its account', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    const first = await signInWithFixedCode(app, number);
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
    await signInWithFixedCode(app, number);
  });

  it('is written down with each use, and never in full', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number], { env: { LOG_LEVEL: 'debug' } });
    const { id } = await signInWithFixedCode(app, number);
    const masked = `+1555*****${number.slice(-2)}`;
    expect(await auditOf(plain, id, 'test_number_used')).toEqual([
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
    const { id } = await signInWithFixedCode(app, number);
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
    await signInWithFixedCode(restarted, number, '55512399');
  });
});

describe('an expired test number', () => {
  it('is one like any other from its last day on, in a server that runs', async () => {
    const [fictional, valid] = [aFictionalNumber(), aPhoneNumber()];
    const app = await appWith([fictional, valid]);
    await signInWithFixedCode(app, valid);
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
    const reviewer = await signInWithFixedCode(app, number);
    const bystander = await app.signIn();
    app.clock.advance(31);
    const without = await app.replica();
    await without.signup(number);
    const { body } = await without.verify(number, await without.code(number));
    expect(body).toMatchObject({ is_new_user: true, needs_profile_completion: true });
    expect(await accountOf(plain, number)).toEqual({ id: body.user.id, is_test: false });
    expect(body.user.id).not.toBe(reviewer.id);
    expect(await app.sql('SELECT status, is_test FROM users WHERE id = $1', [reviewer.id])).toEqual([
      { status: 'deleted', is_test: false },
    ]);
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1', [reviewer.id])).toEqual([]);
    expect((await without.get('/api/auth/profile', reviewer.bearer)).status).toBe(401);
    const refreshed = await without.post('/api/auth/refresh', { refresh_token: reviewer.refreshToken });
    expectProblem(refreshed, { status: 401, code: 'refresh_token_invalid' });
    expect(await auditOf(plain, reviewer.id, 'test_account_replaced')).toHaveLength(1);
    const owner = { authorization: `Bearer ${body.access_token}` };
    expect((await without.get('/api/auth/profile', owner)).status).toBe(200);
    expect((await deleteAccount(without, owner)).status).toBe(204);
    expect((await without.get('/api/auth/profile', bystander.bearer)).status).toBe(200);
  });

  it('is not given to its owner twice, by two codes at once on two replicas', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    const reviewer = await signInWithFixedCode(app, number);
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
    expect(await auditOf(plain, reviewer.id, 'test_account_replaced')).toHaveLength(1);
  });
});
