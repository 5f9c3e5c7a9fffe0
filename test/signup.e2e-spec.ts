import { aPhoneNumber, atOnce, aWrongCode, problem, type SentText, tally, TestApp } from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';
import { Queue } from './helpers/queue.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

describe('POST /api/auth/signup', () => {
  it('texts a code and says how to use it', async () => {
    const phone = aPhoneNumber();
    const answer = await app.signup(phone);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      phone_number: phone,
      code_length: 4,
      expires_in: 600,
      resend_in: 30,
      attempts: 3,
    });
    const [text] = await app.texts(phone);
    expect(text).toMatchObject({ to: phone, purpose: 'sign_in', otp_code: expect.stringMatching(/^\d{4}$/) });
    expect(text?.body).toBe(
      `${text?.otp_code} is your Latchkey code. It expires in 10 minutes. Do not share it.\n\n@localhost #${text?.otp_code}`,
    );
  });

  it('answers the same for a known number as for a new one', async () => {
    const known = await app.signIn();
    app.clock.advance(31);
    const [toKnown, toNew] = await Promise.all([app.signup(known.phoneNumber), app.signup(aPhoneNumber())]);
    expect(toKnown.status).toBe(200);
    expect({ ...toKnown.body, phone_number: '' }).toEqual({ ...toNew.body, phone_number: '' });
    const names = (headers: Headers) => [...headers.keys()].sort();
    expect(names(toKnown.headers)).toEqual(names(toNew.headers));
  });

  it('makes a code of as many digits as the client asks for', async () => {
    const phone = aPhoneNumber();
    expect((await app.signup(phone, { min_code_length: 8 })).body.code_length).toBe(8);
    expect(await app.code(phone)).toMatch(/^\d{8}$/);
  });

  it('sends one text for forty requests at once', async () => {
    const phone = aPhoneNumber();
    const answers = await atOnce(40, () => app.signup(phone));
    expect(tally(answers)).toEqual({ 200: 1, 429: 39 });
    expect(await app.texts(phone)).toHaveLength(1);
  });

  it('sends one text for forty requests at once to two replicas', async () => {
    const other = await app.replica();
    const phone = aPhoneNumber();
    const answers = await atOnce(40, (index) => (index % 2 ? app : other).signup(phone));
    expect(tally(answers)).toEqual({ 200: 1, 429: 39 });
    expect(await app.texts(phone)).toHaveLength(1);
  });

  it('asks to wait for what is left of the cooldown, and keeps the code that was sent good', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    app.clock.advance(10);
    const refused = await app.signup(phone);
    expect(refused.status).toBe(429);
    expect(refused.body).toEqual(problem('otp_cooldown', { retry_after: 20 }));
    expect(refused.headers.get('retry-after')).toBe('20');
    expect((await app.verify(phone, await app.code(phone))).status).toBe(200);
  });

  it('replaces the code once the cooldown is over, with three new guesses', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    const first = await app.code(phone);
    await app.verify(phone, aWrongCode(first));
    app.clock.advance(30);
    await app.signup(phone);
    const second = await app.code(phone);
    if (second !== first) expect((await app.verify(phone, first)).status).toBe(401);
    expect((await app.verify(phone, second)).status).toBe(200);
    const [{ count } = { count: '' }] = await app.sql<{ count: string }>(
      'SELECT count(*) FROM phone_otps WHERE phone_number = $1',
      [phone],
    );
    expect(count).toBe('1');
  });

  it('puts the hash of a configured Android app into the text', async () => {
    const android = await TestApp.start({
      env: { SMS_ANDROID_APP_HASHES: 'android=FA+9qCX9VSu,beta=abcdefghijk' },
    });
    const phone = aPhoneNumber();
    expect((await android.signup(phone, { app: 'beta' })).status).toBe(200);
    const [text] = await android.texts(phone);
    expect(text?.body).toContain(`\n\nabcdefghijk\n@localhost #${text?.otp_code}`);
    expect((await android.signup(aPhoneNumber(), { app: 'gamma' })).body).toEqual(
      problem('validation_failed', {
        errors: [expect.objectContaining({ field: 'app', code: 'not_allowed' })],
      }),
    );
  });

  it('demands a code_challenge where the configuration says so', async () => {
    const strict = await TestApp.start({ env: { OTP_REQUIRE_CHALLENGE: 'true' } });
    expect((await strict.signup(aPhoneNumber())).body).toEqual(
      problem('validation_failed', {
        errors: [expect.objectContaining({ field: 'code_challenge', code: 'required' })],
      }),
    );
    const { challenge } = aChallenge();
    expect((await strict.signup(aPhoneNumber(), { code_challenge: challenge })).status).toBe(200);
  });

  describe('when the provider does not take the text', () => {
    it.each([
      ['phone_number_invalid', 422],
      ['phone_number_unsupported', 422],
      ['phone_number_unreachable', 422],
      ['sms_unavailable', 503],
    ])('answers %s, starts no wait and keeps the earlier code', async (code, status) => {
      let outcome: unknown = { fate: 'accepted' };
      const sent: SentText[] = [];
      const withProvider = await TestApp.start({
        send: (message) => {
          sent.push(message);
          return Promise.resolve(outcome);
        },
      });
      const phone = aPhoneNumber();
      await withProvider.signup(phone);
      withProvider.clock.advance(30);
      outcome = { fate: 'refused', code };
      const refused = await withProvider.signup(phone);
      expect(refused.status).toBe(status);
      expect(refused.body).toEqual(problem(code));
      expect((await withProvider.verify(phone, sent[1]?.otpCode ?? '')).status).not.toBe(200);
      outcome = { fate: 'accepted' };
      expect((await withProvider.verify(phone, sent[0]?.otpCode ?? '')).status).toBe(200);
      expect((await withProvider.signup(phone)).status).toBe(200);
    });

    it('keeps a code of unknown fate good, and lets the wait run', async () => {
      const sent: SentText[] = [];
      const withProvider = await TestApp.start({
        send: (message) => {
          sent.push(message);
          return Promise.reject(new Error(`timeout talking of ${message.to}`));
        },
      });
      const phone = aPhoneNumber();
      const answer = await withProvider.signup(phone);
      expect(answer.body).toEqual(problem('sms_unavailable', { retry_after: 30 }));
      expect((await withProvider.signup(phone)).body).toEqual(problem('otp_cooldown'));
      expect((await withProvider.verify(phone, sent[0]?.otpCode ?? '')).status).toBe(200);
    });

    it('lets nobody guess at a code before the provider took it', async () => {
      const { slow, sending } = await startSlow();
      const phone = aPhoneNumber();
      const signup = slow.signup(phone);
      const { code, release } = await sending.next();
      expect((await slow.verify(phone, code)).body).toEqual(problem('otp_not_found'));
      release({ fate: 'accepted' });
      expect((await signup).status).toBe(200);
      expect((await slow.verify(phone, code)).status).toBe(200);
    });

    it('lets the newer of two slow texts win, whichever ends first', async () => {
      const { slow, sending } = await startSlow();
      const phone = aPhoneNumber();
      const first = slow.signup(phone);
      const older = await sending.next();
      slow.clock.advance(31);
      const second = slow.signup(phone);
      const newer = await sending.next();
      newer.release({ fate: 'accepted' });
      await second;
      older.release({ fate: 'accepted' });
      await first;
      expect((await slow.verify(phone, newer.code)).status).toBe(200);
      expect((await slow.verify(phone, older.code)).status).toBe(404);
    });
  });
});

/** An app whose provider takes its time: each text waits until the test releases it. */
async function startSlow() {
  const sending = new Queue<{ code: string; release: (outcome: unknown) => void }>();
  const slow = await TestApp.start({
    send: ({ otpCode }) => new Promise((release) => sending.push({ code: otpCode, release })),
  });
  return { slow, sending };
}
