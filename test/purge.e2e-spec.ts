import { aPhoneNumber, harness, TestApp } from './helpers/app.js';

const [MINUTE, DAY] = [60, 24 * 60 * 60];

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
