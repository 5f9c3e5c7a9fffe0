import {
  aPhoneNumber,
  expectProblem,
  problem,
  type SentText,
  type SignedInUser,
  TestApp,
} from './helpers/app.js';
import { anotherSession, ask, counted } from './helpers/phone-change.js';

const DAY = 24 * 60 * 60;

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

describe('POST /api/auth/phone-number', () => {
  it('texts a code to the new number, and answers as signup does', async () => {
    const ana = await app.signIn();
    const phone = aPhoneNumber();
    const decorated = phone.replace(/^\+55(\d\d)/, '+55 ($1) ');
    const { status, body } = await ask(app, ana, decorated);
    expect([status, body]).toEqual([
      200,
      { phone_number: phone, code_length: 4, expires_in: 600, resend_in: 30, attempts: 3 },
    ]);
    const [text] = await app.texts(phone);
    expect(text).toMatchObject({
      purpose: 'phone_change',
      body: expect.stringMatching(/^\d{4} is your code to move your Latchkey account to this number\./),
    });
  });

  it('does not tell whether the number has an account', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    app.clock.advance(31);
    const [free, taken] = [await ask(app, ana, aPhoneNumber()), await ask(app, ana, ben.phoneNumber)];
    expect(taken.status).toBe(200);
    expect({ ...taken.body, phone_number: '' }).toEqual({ ...free.body, phone_number: '' });
    expect((await app.texts(ben.phoneNumber))[0]).toMatchObject({ purpose: 'phone_change' });
  });

  it('needs a sign-in within the last ten minutes; a refresh is none', async () => {
    const ana = await app.signIn();
    app.clock.advance(595);
    expect((await ask(app, ana, aPhoneNumber())).status).toBe(200);
    const { body } = await app.post('/api/auth/refresh', { refresh_token: ana.refreshToken });
    app.clock.advance(6);
    const refreshed = { ...ana, bearer: { authorization: `Bearer ${body.access_token}` } };
    for (const user of [ana, refreshed]) {
      expectProblem(await ask(app, user, aPhoneNumber()), { status: 403, code: 'reauthentication_required' });
    }
    expect((await ask(app, await app.signIn(ana.phoneNumber), aPhoneNumber())).status).toBe(200);
  });

  it('refuses the number that the account has, however it is written, and counts nothing', async () => {
    const ana = await app.signIn();
    app.clock.advance(31);
    for (const number of [ana.phoneNumber, ` ${ana.phoneNumber.replace('+55', '+55 ')} `]) {
      const answer = await ask(app, ana, number);
      const fault = { field: 'phone_number', code: 'unchanged', message: expect.any(String) };
      expectProblem(answer, { status: 422, code: 'validation_failed', errors: [fault] });
    }
    expect(await counted(app, ana)).toBe(0);
    expect(await app.texts(ana.phoneNumber)).toHaveLength(1);
  });

  it('waits between two codes for one number, whatever they are for', async () => {
    const ana = await app.signIn();
    const phone = aPhoneNumber();
    await ask(app, ana, phone);
    const again = await ask(app, ana, phone);
    expectProblem(again, { status: 429, code: 'otp_cooldown', retry_after: expect.any(Number) });
    expect(again.body.retry_after).toBeLessThanOrEqual(30);
    expect((await app.signup(phone)).body).toEqual(problem('otp_cooldown'));
    expect(await counted(app, ana)).toBe(1);
    const other = aPhoneNumber();
    await app.signup(other);
    expect((await ask(app, ana, other)).body).toEqual(problem('otp_cooldown'));
    expect(await counted(app, ana)).toBe(1);
  });

  it('sends three a day a user, however many sessions ask, and says when the next one may be', async () => {
    const ana = await app.signIn();
    const elsewhere = await anotherSession(app, ana);
    const phones = [aPhoneNumber(), aPhoneNumber(), aPhoneNumber()];
    await ask(app, ana, phones[0]!);
    app.clock.advance(100);
    await ask(app, elsewhere, phones[1]!);
    await ask(app, ana, phones[2]!);
    // Before the wait of that number, which would be shorter.
    for (const number of [aPhoneNumber(), phones[2]!]) {
      const answer = await ask(app, elsewhere, number);
      expectProblem(answer, { status: 429, code: 'otp_limit_reached', retry_after: expect.any(Number) });
      expect(answer.headers.get('retry-after')).toBe(String(answer.body.retry_after));
      expect(answer.body.retry_after).toBeLessThanOrEqual(DAY - 100);
      expect(answer.body.retry_after).toBeGreaterThan(DAY - 130);
    }
    expect((await ask(app, await app.signIn(), aPhoneNumber())).status).toBe(200);

    app.clock.advance(DAY - 100);
    const later = await app.signIn(ana.phoneNumber);
    expect((await ask(app, later, aPhoneNumber())).status).toBe(200);
    const next = await ask(app, later, aPhoneNumber());
    expect(next.body).toEqual(problem('otp_limit_reached'));
    expect(next.body.retry_after).toBeLessThanOrEqual(100);
    app.clock.advance(100);
    expect((await ask(app, later, aPhoneNumber())).status).toBe(200);
  });

  it('gives back what the provider refused, and not what may have been sent', async () => {
    let fate: object = { fate: 'accepted' };
    const texts: SentText[] = [];
    const own = await TestApp.start({
      database: await app.freshDatabase(),
      send: (text) => {
        texts.push(text);
        return Promise.resolve(fate);
      },
    });
    const phone = aPhoneNumber();
    await own.signup(phone);
    const { body } = await own.verify(phone, texts[0]!.otpCode);
    const ana = { bearer: { authorization: `Bearer ${body.access_token}` } } as SignedInUser;
    const asked = async () => {
      const { status, body: answered } = await ask(own, ana, aPhoneNumber());
      return answered.code ?? status;
    };
    fate = { fate: 'refused', code: 'phone_number_unreachable' };
    for (let time = 0; time < 4; time += 1) expect(await asked()).toBe('phone_number_unreachable');
    fate = { fate: 'refused', code: 'sms_unavailable' };
    for (let time = 0; time < 4; time += 1) expect(await asked()).toBe('sms_unavailable');
    fate = { fate: 'accepted' };
    expect(await asked()).toBe(200);
    fate = { fate: 'unknown' };
    for (let time = 0; time < 2; time += 1) expect(await asked()).toBe('sms_unavailable');
    fate = { fate: 'accepted' };
    expect(await asked()).toBe('otp_limit_reached');
  });
});
