import { createHash, randomBytes } from 'node:crypto';

import { aPhoneNumber, atOnce, aWrongCode, problem, tally, TestApp } from './helpers/app.js';

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
    expect(await app.texts(phone)).toEqual([
      expect.objectContaining({ to: phone, purpose: 'sign_in', otp_code: expect.stringMatching(/^\d{4}$/) }),
    ]);
  });

  it('sends one text for forty requests at once', async () => {
    const phone = aPhoneNumber();
    const answers = await atOnce(40, () => app.signup(phone));
    expect(tally(answers)).toEqual({ 200: 1, 429: 39 });
    expect(await app.texts(phone)).toHaveLength(1);
  });
});

describe('POST /api/auth/verify-otp', () => {
  it('takes three of sixty wrong guesses at once', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    const wrong = aWrongCode(await app.code(phone));
    const answers = await atOnce(60, () => app.verify(phone, wrong));
    expect(tally(answers)).toEqual({ 401: 3, 429: 57 });
  });

  it('opens one session for sixty right guesses at once', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    const code = await app.code(phone);
    const answers = await atOnce(60, () => app.verify(phone, code));
    expect(tally(answers)[200]).toBe(1);
    const [row] = await app.sql<{ count: string }>(
      'SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.phone_number = $1',
      [phone],
    );
    expect(row?.count).toBe('1');
  });
});
