import { aPhoneNumber, atOnce, harness, tally, TestApp } from './helpers/app.js';
import { aStoppedClock } from './helpers/breakers.js';
import { until } from './helpers/eventually.js';
import { Client } from './helpers/policy.js';

const [MINUTE, HOUR, DAY] = [60, 60 * 60, 24 * 60 * 60];

let app: TestApp;
beforeEach(async () => {
  app = await TestApp.start();
});
afterEach(() => harness.closeApps());

const refresh = (refresh_token: string) => app.post('/api/auth/refresh', { refresh_token });

describe('the purge of codes', () => {
  const rowsOf = (phone: string) => app.sql('SELECT id FROM phone_otps WHERE phone_number = $1', [phone]);

  it('deletes those that expired more than a day ago, by the clock of the app', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    app.clock.advance(600 + DAY - MINUTE);
    await app.runJob('otp-purge');
    expect((await app.verify(phone, '0000')).body.code).toBe('otp_expired');
    expect(await rowsOf(phone)).toHaveLength(1);
    app.clock.advance(2 * MINUTE);
    await app.runJob('otp-purge');
    expect((await app.verify(phone, '0000')).body.code).toBe('otp_not_found');
    expect(await rowsOf(phone)).toEqual([]);
  });

  it('deletes however many there are, used and unsent ones too, and no other', async () => {
    const [phone, fresh] = [aPhoneNumber(), aPhoneNumber()];
    await app.signup(phone);
    await app.sql(
      `INSERT INTO phone_otps (id, phone_number, purpose, otp_hash, otp_salt, key_id, code_length, is_verified,
                               expires_at, created_at)
       SELECT gen_random_uuid(), phone_number, purpose, otp_hash, otp_salt, key_id, code_length, n % 2 = 0,
              expires_at, created_at
       FROM phone_otps, generate_series(1, 2500) AS n WHERE phone_number = $1`,
      [phone],
    );
    app.clock.advance(2 * DAY);
    await app.signup(fresh);
    await app.runJob('otp-purge');
    expect([(await rowsOf(phone)).length, (await rowsOf(fresh)).length]).toEqual([0, 1]);
  });
});

describe('the purge of sessions', () => {
  const rowsOf = ({ id }: { id: string }) => app.sql('SELECT id FROM sessions WHERE user_id = $1', [id]);

  it('leaves a session that ended by theft for a month, so that each of its tokens is still told', async () => {
    const ana = await app.signIn();
    const { body } = await refresh(ana.refreshToken);
    app.clock.advance(MINUTE);
    expect((await refresh(ana.refreshToken)).body.code).toBe('refresh_token_reused');
    app.clock.advance(30 * DAY - MINUTE);
    await app.runJob('session-purge');
    expect((await refresh(body.refresh_token)).body.code).toBe('refresh_token_reused');
    app.clock.advance(2 * MINUTE);
    await app.runJob('session-purge');
    expect((await refresh(body.refresh_token)).body.code).toBe('refresh_token_invalid');
    expect(await rowsOf(ana)).toEqual([]);
  });

  it('deletes one a month after it expired, and none that lives', async () => {
    const ana = await app.signIn();
    app.clock.advance(59 * DAY);
    const bob = await app.signIn();
    await app.runJob('session-purge');
    expect(await rowsOf(ana)).toHaveLength(1);
    app.clock.advance(DAY + MINUTE);
    await app.runJob('session-purge');
    expect(await rowsOf(ana)).toEqual([]);
    expect((await refresh(bob.refreshToken)).status).toBe(200);
  });
});

describe('the purge of what is counted', () => {
  let counted: TestApp;
  beforeEach(async () => {
    counted = await TestApp.start({ database: await harness.database(), clock: aStoppedClock() });
  });

  async function rowsLeft(): Promise<Record<string, number> | undefined> {
    await counted.runJob('limits-purge');
    const [rows] = await counted.sql<Record<string, number>>(
      `SELECT (SELECT count(*) FROM phone_limits)::integer AS numbers,
              (SELECT count(*) FROM phone_sends)::integer AS sends,
              (SELECT count(*) FROM phone_failures)::integer AS failures,
              count(*) FILTER (WHERE span = 1)::integer AS minutes,
              count(*) FILTER (WHERE span = 60 AND scope IN ('address', 'network'))::integer AS hours_of_clients,
              count(*) FILTER (WHERE span = 60 AND scope NOT IN ('address', 'network'))::integer AS hours
       FROM send_counters`,
    );
    return rows;
  }

  it('deletes each once no window reaches it', async () => {
    const [client, phone] = [new Client(counted), aPhoneNumber()];
    await client.signup(phone);
    await client.fail(phone);
    const all = { numbers: 1, sends: 1, failures: 3, minutes: 5, hours_of_clients: 2, hours: 3 };
    counted.clock.advance(2 * HOUR - MINUTE);
    expect(await rowsLeft()).toEqual(all);
    counted.clock.advance(MINUTE);
    expect(await rowsLeft()).toEqual({ ...all, minutes: 0 });
    counted.clock.advance(22 * HOUR);
    expect(await rowsLeft()).toEqual({ ...all, minutes: 0 });
    counted.clock.advance(1);
    expect(await rowsLeft()).toEqual({ ...all, minutes: 0, numbers: 0 });
    counted.clock.advance(DAY);
    const old = { numbers: 0, sends: 0, minutes: 0, hours_of_clients: 0 };
    expect(await rowsLeft()).toEqual({ ...all, ...old });
    counted.clock.advance(13 * DAY);
    expect(await rowsLeft()).toEqual({ ...all, ...old, hours: 0 });
    counted.clock.advance(15 * DAY - 1);
    expect(await rowsLeft()).toEqual({ ...all, ...old, hours: 0 });
    counted.clock.advance(1);
    expect(await rowsLeft()).toEqual({ ...all, ...old, hours: 0, failures: 0 });
  });

  it('leaves the level of a number as it is', async () => {
    const phone = aPhoneNumber();
    for (const length of [4, 4, 6]) {
      const client = new Client(counted);
      expect((await client.signup(phone)).body.code_length).toBe(length);
      await client.fail(phone);
      counted.clock.advance(9 * DAY);
      await counted.runJob('limits-purge');
    }
    expect((await new Client(counted).signup(phone)).body.code_length).toBe(6);
  });

  it('lets one of two signups through that it runs between', async () => {
    const phone = aPhoneNumber();
    await counted.signup(phone);
    counted.clock.advance(2 * DAY);
    const answers = await counted.started.transaction(async (transaction) => {
      await transaction.query('SELECT FROM phone_limits FOR UPDATE');
      const asked = atOnce(2, () => counted.signup(phone));
      await until(async () => {
        const [row] = await counted.sql<{ waiting: number }>(
          `SELECT count(*)::integer AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return row?.waiting === 2;
      });
      await transaction.query('DELETE FROM phone_limits');
      return { asked };
    });
    expect(tally(await answers.asked)).toEqual({ 200: 1, 429: 1 });
    expect(await counted.texts(phone)).toHaveLength(2);
  });

  it('runs beside signups and itself', async () => {
    const phones = Array.from({ length: 30 }, aPhoneNumber);
    await atOnce(30, (index) => counted.signup(phones[index] ?? ''));
    counted.clock.advance(3 * DAY);
    const [answers] = await Promise.all([
      atOnce(60, (index) => counted.signup(phones[index % 30] ?? '')),
      atOnce(4, () => counted.runJob('limits-purge')),
    ]);
    expect(tally(answers)).toEqual({ 200: 30, 429: 30 });
    expect(await rowsLeft()).toMatchObject({ numbers: 30, sends: 30 });
  });
});
