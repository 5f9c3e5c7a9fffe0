import { randomUUID } from 'node:crypto';

import {
  aPhoneNumber,
  type Answer,
  atOnce,
  expectProblem,
  harness,
  type SentQuery,
  type SentText,
  tally,
  TestApp,
} from './helpers/app.js';
import { aStoppedClock } from './helpers/breakers.js';
import { Client, DAY, HOUR, MINUTE, phoneKeysOf, POLICY_OF_NUMBERS as env } from './helpers/policy.js';

let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock(), env });
  other = await app.replica({ env });
});

const stranger = () => new Client(app);

function expectRefused(answer: Answer, code: 'otp_cooldown' | 'otp_limit_reached', retryAfter: number): void {
  expectProblem(answer, { status: 429, code, retry_after: retryAfter });
  expect(answer.headers.get('retry-after')).toBe(String(retryAfter));
}

/** Asks for a code, which has to be sent. @returns `resend_in`. */
async function ask(phone: string, client = stranger(), more: object = {}): Promise<number> {
  const { status, body } = await client.signup(phone, more);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.resend_in;
}

/** Codes for a number, so many seconds apart, each from an address of its own. */
async function askOften(phone: string, times: number, everySeconds: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await ask(phone);
    app.clock.advance(everySeconds);
  }
}

const sendsTo = async (phone: string) =>
  app.sql('SELECT id FROM phone_sends WHERE phone_key = ANY ($1::bytea[])', [await phoneKeysOf(app, phone)]);

describe('the wait between two codes of a number', () => {
  it('grows within the hour, to the second, whoever asks', async () => {
    const phone = aPhoneNumber();
    for (const wait of [30, 60, 120, 300]) {
      expect(await ask(phone)).toBe(wait);
      expectRefused(await stranger().signup(phone), 'otp_cooldown', wait);
      app.clock.advance(wait - 1);
      expectRefused(await new Client(other).signup(phone), 'otp_cooldown', 1);
      app.clock.advance(1);
    }
    expect(await ask(phone)).toBe(600);
    expectRefused(await stranger().signup(phone), 'otp_limit_reached', HOUR - 510);
  });

  it('begins anew after a quiet hour', async () => {
    const phone = aPhoneNumber();
    await ask(phone);
    app.clock.advance(30);
    expect(await ask(phone)).toBe(60);
    app.clock.advance(HOUR - 1);
    expect(await ask(phone)).toBe(60);
    app.clock.advance(HOUR);
    expect(await ask(phone)).toBe(30);
  });

  it('begins anew with a sign-in', async () => {
    const phone = aPhoneNumber();
    await ask(phone);
    app.clock.advance(30);
    await ask(phone);
    app.clock.advance(60);
    await stranger().signIn(phone);
    expectRefused(await stranger().signup(phone), 'otp_cooldown', 30);
    app.clock.advance(30);
    expect(await ask(phone)).toBe(30);
  });

  it('is told again to whoever repeats the request', async () => {
    const phone = aPhoneNumber();
    await ask(phone);
    app.clock.advance(30);
    const [home, headers] = [stranger(), { 'idempotency-key': `again-${phone}` }];
    const first = await home.signup(phone, {}, headers);
    app.clock.advance(100);
    const again = await home.by(other).signup(phone, {}, headers);
    expect([first.body.resend_in, again.body]).toEqual([60, first.body]);
    expect(await app.texts(phone)).toHaveLength(2);
  });

  it('lets one of forty signups at once through, on two replicas', async () => {
    const phone = aPhoneNumber();
    const answers = await atOnce(40, (index) => new Client(index % 2 ? app : other).signup(phone));
    expect(tally(answers)).toEqual({ 200: 1, 429: 39 });
    expect(await app.texts(phone)).toHaveLength(1);
    expect(await sendsTo(phone)).toHaveLength(1);
  });

  // What a signup and a sign-in lock of a number and its counters, they lock in one order.
  it('is written while the number signs in, and neither waits for the other in turn', async () => {
    const [phone, client] = [aPhoneNumber(), stranger()];
    const queries = await harness.queries(() => client.signIn(phone));
    const [reserve, settle] = ['otp_reserve', 'phone_settle'].map((named) =>
      queries.find(({ name }) => name === named),
    ) as [SentQuery, SentQuery];
    for (let round = 0; round < 100; round += 1) {
      await app.sql('UPDATE phone_limits SET last_send_id = NULL');
      const values = [...reserve.values];
      // A code of its own, whose turn is any.
      values[3] = randomUUID();
      for (const seen of [26, 29]) values[seen] = 0;
      for (const last of [27, 30]) values[last] = Number.MAX_SAFE_INTEGER;
      const [, reserved] = await Promise.all([
        app.started.transaction((transaction) => transaction.query(settle.text, [...settle.values])),
        app.started.transaction((transaction) => transaction.query(reserve.text, values)),
      ]);
      expect(reserved).toHaveLength(1);
    }
  });

  it('is not begun by what was refused, and nothing of a budget is used', async () => {
    const phone = aPhoneNumber();
    await ask(phone);
    app.clock.advance(29);
    for (let time = 0; time < 20; time += 1) await stranger().signup(phone);
    app.clock.advance(1);
    expect(await ask(phone)).toBe(60);
    expect(await sendsTo(phone)).toHaveLength(2);
  });
});

describe('the codes of a number', () => {
  it('are eight a day', async () => {
    const phone = aPhoneNumber();
    await askOften(phone, 8, 2 * HOUR);
    expectRefused(await stranger().signup(phone), 'otp_limit_reached', 8 * HOUR);
    app.clock.advance(8 * HOUR - 1);
    expectRefused(await stranger().signup(phone), 'otp_limit_reached', 1);
    app.clock.advance(1);
    await ask(phone);
  });

  it('are four a day for one address, where they are not entered', async () => {
    const [phone, client] = [aPhoneNumber(), stranger()];
    for (let time = 0; time < 4; time += 1) {
      await ask(phone, client);
      app.clock.advance(HOUR);
    }
    expectRefused(await client.signup(phone), 'otp_limit_reached', 20 * HOUR);
    await ask(phone);
  });

  it('are eight a day where they are entered, for one address too', async () => {
    const [phone, home] = [aPhoneNumber(), stranger()];
    for (let time = 0; time < 8; time += 1) {
      await home.signIn(phone);
      app.clock.advance(HOUR);
    }
    expectRefused(await home.signup(phone), 'otp_limit_reached', 16 * HOUR);
  });

  it('are kept, the last two, for addresses that have not asked', async () => {
    const [phone, pest] = [aPhoneNumber(), stranger()];
    await ask(phone, pest);
    app.clock.advance(HOUR);
    await askOften(phone, 5, HOUR);
    expectRefused(await pest.signup(phone), 'otp_limit_reached', 18 * HOUR);
    const owner = stranger();
    await owner.signIn(phone);
    app.clock.advance(HOUR);
    await owner.signIn(phone);
    app.clock.advance(HOUR);
    expectRefused(await owner.signup(phone), 'otp_limit_reached', 16 * HOUR);
  });

  it('are at their limit rather than too early, where they are both', async () => {
    const phone = aPhoneNumber();
    await askOften(phone, 4, 14 * MINUTE);
    await ask(phone);
    // Four minutes until the first is an hour old, and ten to wait.
    expectRefused(await stranger().signup(phone), 'otp_limit_reached', 10 * MINUTE);
    app.clock.advance(4 * MINUTE);
    expectRefused(await stranger().signup(phone), 'otp_cooldown', 6 * MINUTE);
  });

  it('are counted together with those of a change of number', async () => {
    const [user, phone, taken] = [await app.signIn(), aPhoneNumber(), aPhoneNumber()];
    const move = (phone_number: string) => app.post('/api/auth/phone-number', { phone_number }, user.bearer);
    expect((await move(phone)).body.resend_in).toBe(30);
    expectRefused(await stranger().signup(phone), 'otp_cooldown', 30);
    await ask(taken);
    expectRefused(await move(taken), 'otp_cooldown', 30);
    app.clock.advance(30);
    expect((await move(taken)).body.resend_in).toBe(60);
  });
});

describe('the lane of the own device', () => {
  it('is not used up by strangers, nor they by it', async () => {
    const [phone, home] = [aPhoneNumber(), stranger()];
    const { body } = await home.signIn(phone);
    const more = { device_token: body.device_token };
    app.clock.advance(DAY);
    await askOften(phone, 7, 2 * HOUR);
    await ask(phone);
    expectRefused(await stranger().signup(phone), 'otp_limit_reached', 10 * HOUR);
    for (const wait of [30, 60, 120, 300]) {
      expect(await ask(phone, home, more)).toBe(wait);
      expectRefused(await home.signup(phone, more), 'otp_cooldown', wait);
      app.clock.advance(wait);
    }
    expect(await ask(phone, home, more)).toBe(600);
    expectRefused(await home.signup(phone, more), 'otp_limit_reached', HOUR - 510);
    app.clock.advance(10 * HOUR);
    expect(await ask(phone)).toBe(30);
  });
});

describe('a code that the provider', () => {
  it('refuses is as if it had not been asked for', async () => {
    const fates: object[] = [{ fate: 'refused', code: 'sms_unavailable' }];
    const sender = await app.replica({
      env,
      send: () => Promise.resolve(fates.shift() ?? { fate: 'accepted' }),
    });
    const [phone, home] = [aPhoneNumber(), new Client(sender)];
    app.clock.advance(2 * HOUR);
    const since = app.clock.now();
    const counted = async () => {
      const rows = await app.sql<{ sends: number }>(
        `SELECT sends + new_sends AS sends FROM send_counters WHERE span = 1 AND starts_at > $1::timestamptz - interval '1 minute'`,
        [since],
      );
      return rows.map(({ sends }) => sends);
    };
    const refused = await home.signup(phone);
    expect([refused.status, refused.body.code]).toEqual([503, 'sms_unavailable']);
    expect(await counted()).toEqual([0, 0, 0, 0, 0]);
    expect(await sendsTo(phone)).toEqual([]);
    expect(await ask(phone, home)).toBe(30);
    expect(await counted()).toEqual([2, 2, 2, 2, 2]);
  });

  it('may have sent counts, and is good', async () => {
    const texts: SentText[] = [];
    const send = (text: SentText) => {
      texts.push(text);
      return Promise.resolve({ fate: 'unknown' });
    };
    const [phone, home] = [aPhoneNumber(), new Client(await app.replica({ env, send }))];
    const answer = await home.signup(phone);
    expectProblem(answer, { status: 503, code: 'sms_unavailable', retry_after: 30 });
    expectRefused(await home.signup(phone), 'otp_cooldown', 30);
    expect(await sendsTo(phone)).toHaveLength(1);
    expect((await home.verify(phone, String(texts[0]?.otpCode))).status).toBe(200);
  });
});
