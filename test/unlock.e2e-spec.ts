import { aPhoneNumber, aWrongCode, expectProblem, TestApp } from './helpers/app.js';
import { latchkey } from './helpers/command-line.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ env: { PHONE_SENDS_PER_HOUR: '2' } });
});

async function failThreeTimes(phone: string): Promise<number> {
  const { status, body } = await app.signup(phone);
  expect(status).toBe(200);
  const wrong = aWrongCode(await app.code(phone));
  for (let guess = 0; guess < 3; guess += 1) await app.verify(phone, wrong);
  return body.code_length;
}

describe('latchkey unlock', () => {
  it('forgets what was counted for a number, and says how much that was', async () => {
    const { phoneNumber, id } = await app.signIn();
    await app.endWaits();
    expect(await failThreeTimes(phoneNumber)).toBe(4);
    await app.endWaits();
    expect(await failThreeTimes(phoneNumber)).toBe(4);
    await app.endWaits();
    expect(await failThreeTimes(phoneNumber)).toBe(6);
    const refused = await app.signup(phoneNumber);
    expect(refused.body.code).toBe('otp_cooldown');

    expect(await latchkey(app.started.database, 'unlock', phoneNumber)).toBe(
      'Forgot 9 failed guesses and 4 sends.\n',
    );
    expect((await app.signup(phoneNumber)).body.code_length).toBe(4);
    const entries = await app.sql(
      `SELECT actor_id, object_type, object_id, payload FROM audit_log WHERE action = 'number_unlocked'`,
    );
    expect(entries).toEqual([
      { actor_id: null, object_type: 'user', object_id: id, payload: { failures: 9, sends: 4 } },
    ]);
  });

  it('takes a number that has no account, and refuses what is none', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    expectProblem(await app.signup(phone), { status: 429, code: 'otp_cooldown', retry_after: 30 });
    expect(await latchkey(app.started.database, 'unlock', phone)).toBe(
      'Forgot 0 failed guesses and 1 sends.\n',
    );
    expect((await app.signup(phone)).status).toBe(200);
    await expect(latchkey(app.started.database, 'unlock', '4155552671')).rejects.toThrow(
      'That is no phone number',
    );
  });
});
