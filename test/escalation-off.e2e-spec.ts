import { aPhoneNumber, type Answer, atOnce, aWrongCode, expectProblem, TestApp } from './helpers/app.js';
import { aStoppedClock } from './helpers/breakers.js';
import { aChallenge } from './helpers/challenge.js';
import { Client, DAY, failureCounts, HOUR, POLICY } from './helpers/policy.js';

const OFF = { ...POLICY, OTP_ESCALATION: 'off' };

let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock(), env: OFF });
  other = await app.replica({ env: OFF });
});

/** Seven guesses that fail: the first now, the last two days later. Then a code is pending that takes two more. */
async function failSevenTimes(phone: string): Promise<number[]> {
  const lengths: number[] = [];
  for (const guesses of [3, 3, 1]) {
    if (lengths.length > 0) app.clock.advance(DAY);
    const stranger = new Client(app);
    lengths.push((await stranger.signup(phone)).body.code_length);
    await stranger.fail(phone, guesses);
  }
  return lengths;
}

function expectStopped(answer: Answer, retryAfter: number): void {
  expectProblem(answer, { status: 429, code: 'otp_limit_reached', retry_after: retryAfter });
  expect(answer.headers.get('retry-after')).toBe(String(retryAfter));
}

describe('with OTP_ESCALATION=off', () => {
  it('codes never grow, and a number takes seven failed guesses in thirty days', async () => {
    const phone = aPhoneNumber();
    expect(await failSevenTimes(phone)).toEqual([4, 4, 4]);
    const code = await app.code(phone);
    for (const guess of [code, aWrongCode(code)]) {
      expectStopped(await new Client(app).verify(phone, guess), 28 * DAY);
      expectStopped(await new Client(other).verify(phone, guess), 28 * DAY);
    }
    app.clock.advance(HOUR);
    expectStopped(await new Client(app).signup(phone), 28 * DAY - HOUR);
    app.clock.advance(28 * DAY - HOUR - 1);
    expectStopped(await new Client(app).signup(phone), 1);
    app.clock.advance(1);
    const home = new Client(app);
    expect((await home.signup(phone)).body.code_length).toBe(4);
    expect((await home.verify(phone, await app.code(phone))).status).toBe(200);
  });

  it('a right guess is none of the seven', async () => {
    const phone = aPhoneNumber();
    for (let signIn = 0; signIn < 8; signIn += 1) {
      await new Client(app).signIn(phone);
      app.clock.advance(DAY);
    }
  });

  it('no more than seven are taken, however many are made at once at several codes', async () => {
    const env = { ...OFF, OTP_MAX_ATTEMPTS: '10' };
    const apps = [await app.replica({ env }), await app.replica({ env })];
    const phone = aPhoneNumber();
    const [verifiers, codes]: [string[], string[]] = [[], []];
    for (let binding = 0; binding < 3; binding += 1) {
      const { verifier, challenge } = aChallenge();
      expect((await new Client(app).signup(phone, { code_challenge: challenge })).status).toBe(200);
      verifiers.push(verifier);
      codes.push(aWrongCode(await app.code(phone)));
      app.clock.advance(60 * (binding + 1));
    }
    const { numbers: before = 0 } = await failureCounts(app);
    const answers = await atOnce(60, (index) => {
      const code_verifier = verifiers[index % 3];
      return new Client(apps[index % 2] ?? app).verify(phone, codes[index % 3] ?? '', { code_verifier });
    });
    const taken = answers.filter(({ status }) => status === 401);
    expect(taken).toHaveLength(7);
    expect((await failureCounts(app)).numbers).toBe(before + 7);
    for (const answer of answers.filter(({ status }) => status !== 401)) expectStopped(answer, 30 * DAY);
  });

  it('the length that a client asks for is kept', async () => {
    const { body } = await new Client(app).signup(aPhoneNumber(), { min_code_length: 6 });
    expect(body.code_length).toBe(6);
  });

  it('right guesses at two codes of a number at once, one of them repeatable, do not wait for each other', async () => {
    for (let round = 0; round < 5; round += 1) {
      const phone = aPhoneNumber();
      const clients: [Client, object, string][] = [];
      for (const replica of [app, other]) {
        const { verifier, challenge } = aChallenge();
        const client = new Client(replica);
        expect((await client.signup(phone, { code_challenge: challenge })).status).toBe(200);
        clients.push([client, { code_verifier: verifier }, await app.code(phone)]);
        app.clock.advance(30);
      }
      const answers = await atOnce(2, (index) => {
        const [client, more, otp_code] = clients[index] as (typeof clients)[number];
        const key = index === 0 ? { 'idempotency-key': `${phone}-${round}-sign-in` } : undefined;
        return client.post('/api/auth/verify-otp', { phone_number: phone, otp_code, ...more }, key);
      });
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    }
  });
});
