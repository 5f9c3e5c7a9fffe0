import { aPhoneNumber, atOnce, aWrongCode, TestApp } from './helpers/app.js';
import { aStoppedClock } from './helpers/breakers.js';
import { aChallenge } from './helpers/challenge.js';
import { Client, DAY, HOUR, MINUTE, POLICY } from './helpers/policy.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock(), env: POLICY });
});
beforeEach(async () => {
  // As if nothing had happened for weeks.
  app.clock.advance(HOUR);
  await app.sql('DELETE FROM send_counters');
  app.started.log.lines.splice(0);
});

/** As if so many of everybody's guesses had failed, and been right, in an hour or in each of several. */
async function count(
  { failures = 0, right = 0 }: { failures?: number; right?: number },
  { hoursAgo = 0, hours = 1 }: { hoursAgo?: number; hours?: number } = {},
): Promise<void> {
  await app.sql(
    `INSERT INTO send_counters AS c (scope, key, span, starts_at, country, slot, failures, sign_ins)
     SELECT 'service', '', span,
            date_bin(make_interval(mins => span), $1::timestamptz - n * interval '1 hour', timestamptz '1970-01-01Z'),
            '', slot, CASE slot WHEN 0 THEN $2::integer / 2 ELSE $2 - $2 / 2 END, CASE slot WHEN 0 THEN $3 ELSE 0 END
     FROM (VALUES (1), (60)) AS spans (span), (VALUES (0), (5)) AS slots (slot), generate_series($4::integer, $5::integer) AS n
     ON CONFLICT ON CONSTRAINT send_counters_pkey
     DO UPDATE SET failures = c.failures + excluded.failures, sign_ins = c.sign_ins + excluded.sign_ins`,
    [app.clock.now(), failures, right, hoursAgo, hoursAgo + hours - 1],
  );
}

/** The length of the code of somebody new, as of two seconds later. */
async function lengthNow(on = app): Promise<number> {
  app.clock.advance(2);
  const { status, body } = await new Client(on).signup(aPhoneNumber());
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.code_length;
}

/** What the log says of it. */
const alarms = (on = app) =>
  on.started.log.lines
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter(({ msg }) => /all codes grow|usual length/.test(String(msg)))
    .map(({ msg, window, used, limit }) => ({ msg, window, used, limit }));

const OVER = 'so many guesses fail that all codes grow';

/** Each at a number of its own, from an address of its own. */
const failEverywhere = (guesses: number) =>
  atOnce(guesses, async () => {
    const [client, phone] = [new Client(app), aPhoneNumber()];
    await client.signup(phone);
    expect((await client.verify(phone, aWrongCode(await app.code(phone)))).status).toBe(401);
  });

describe('where more guesses fail than is ordinary', () => {
  it('all codes have six digits, and an alarm is logged, until it ends', async () => {
    await failEverywhere(10);
    expect(await lengthNow()).toBe(4);
    expect(alarms()).toEqual([]);
    await failEverywhere(1);
    expect([await lengthNow(), await lengthNow()]).toEqual([6, 6]);
    expect(alarms()).toEqual([{ msg: OVER, window: 'hour', used: 11, limit: 10 }]);
    app.clock.advance(HOUR);
    expect(await lengthNow()).toBe(4);
    expect(alarms()).toEqual([
      { msg: OVER, window: 'hour', used: 11, limit: 10 },
      { msg: 'codes have their usual length again', window: 'day', used: 11, limit: 30 },
    ]);
  });

  it('nobody is refused', async () => {
    await count({ failures: 100_000 });
    expect(await lengthNow()).toBe(6);
    await new Client(app).signIn(aPhoneNumber());
  });

  it('the codes that only an own device can guess at stay as they are', async () => {
    const [home, phone] = [new Client(app), aPhoneNumber()];
    const { device_token } = (await home.signIn(phone)).body;
    await count({ failures: 1000 });
    app.clock.advance(MINUTE);
    const { challenge } = aChallenge();
    const bound = await home.signup(phone, { device_token, code_challenge: challenge });
    expect(bound.body.code_length).toBe(4);
    app.clock.advance(MINUTE);
    expect((await home.signup(phone, { device_token })).body.code_length).toBe(6);
  });

  it('looks at codes that are not there are no failures of the service', async () => {
    await atOnce(12, () => new Client(app).verify(aPhoneNumber(), '1234'));
    expect(await lengthNow()).toBe(4);
  });

  it('a replica that starts meanwhile knows', async () => {
    await count({ failures: 11 });
    const other = await app.replica({ env: POLICY });
    expect(await lengthNow(other)).toBe(6);
    expect(alarms(other)).toEqual([{ msg: OVER, window: 'hour', used: 11, limit: 10 }]);
  });

  it('with OTP_ESCALATION=off there is only the alarm', async () => {
    await count({ failures: 11 });
    const off = await app.replica({ env: { ...POLICY, OTP_ESCALATION: 'off' } });
    expect(await lengthNow(off)).toBe(4);
    expect(alarms(off)).toEqual([{ msg: OVER, window: 'hour', used: 11, limit: 10 }]);
  });
});

describe('ordinary', () => {
  it('are thirty failures a day, or a twentieth of the right guesses', async () => {
    await count({ failures: 10 }, { hoursAgo: 2, hours: 3 });
    expect(await lengthNow()).toBe(4);
    await count({ failures: 1 }, { hoursAgo: 2 });
    expect(await lengthNow()).toBe(6);
    await count({ right: 619 }, { hoursAgo: 2 });
    expect(await lengthNow()).toBe(6);
    await count({ right: 1 }, { hoursAgo: 2 });
    expect(await lengthNow()).toBe(4);
    app.clock.advance(DAY);
    expect(await lengthNow()).toBe(4);
  });

  it('are four times the median hour of a week', async () => {
    await count({ failures: 5, right: 1000 }, { hoursAgo: 2, hours: 167 });
    await count({ failures: 20 });
    expect(await lengthNow()).toBe(4);
    await count({ failures: 1 });
    expect(await lengthNow()).toBe(6);
    expect(alarms()).toEqual([{ msg: OVER, window: 'hour', used: 21, limit: 20 }]);
  });

  it('is no hour that is louder than half of the others', async () => {
    const loud = { failures: 50, right: 5000 };
    await count(loud, { hoursAgo: 2, hours: 84 });
    await count({ failures: 11 });
    expect(await lengthNow()).toBe(6);
    await count(loud, { hoursAgo: 86, hours: 1 });
    expect(await lengthNow()).toBe(4);
  });
});
