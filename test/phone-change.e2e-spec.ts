import {
  type Answer,
  aPhoneNumber,
  aWrongCode,
  expectProblem,
  problem,
  type SignedInUser,
  TestApp,
} from './helpers/app.js';
import {
  aCodeFor,
  anotherSession,
  move,
  noticesTo,
  numberOf,
  queuedNotices,
} from './helpers/phone-change.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const profile = (user: SignedInUser, at = app) => at.get('/api/auth/profile', user.bearer);
const refresh = (user: SignedInUser) => app.post('/api/auth/refresh', { refresh_token: user.refreshToken });

/** Moves a user to a number of their own. */
async function moved(user: SignedInUser, phoneNumber = aPhoneNumber()): Promise<Answer['body']> {
  const { status, body } = await move(app, user, phoneNumber, await aCodeFor(app, user, phoneNumber));
  expect([status, body]).toEqual([200, expect.anything()]);
  return body;
}

describe('POST /api/auth/phone-number/verify', () => {
  it('moves the account: the user stays, and signs in with the new number', async () => {
    const ana = await app.signIn();
    const before = (await profile(ana)).body;
    const phone = aPhoneNumber();
    const { status, body } = await move(app, ana, phone, await aCodeFor(app, ana, phone));
    expect([status, body]).toEqual([
      200,
      { user: { ...before, phone_number: phone }, device_token: expect.stringMatching(/^[\w-]{60,}$/) },
    ]);
    expect((await profile(ana)).body).toEqual(body.user);
    app.clock.advance(31);
    await app.signup(phone);
    const again = await app.verify(phone, await app.code(phone));
    expect(again.body).toMatchObject({ is_new_user: false, user: { id: ana.id } });
  });

  it('leaves the old number to whoever has it: it makes an account of its own', async () => {
    const ana = await app.signIn();
    // Asked for before the move, and still the proof of that number.
    app.clock.advance(31);
    await app.signup(ana.phoneNumber);
    const code = await app.code(ana.phoneNumber);
    await moved(ana);
    const { body } = await app.verify(ana.phoneNumber, code);
    expect(body).toMatchObject({ is_new_user: true });
    expect(body.user.id).not.toBe(ana.id);
    // And can take it for good.
    app.clock.advance(31);
    const back = await aCodeFor(app, ana, ana.phoneNumber);
    expect((await move(app, ana, ana.phoneNumber, back)).body).toEqual(problem('phone_number_taken'));
  });

  it('keeps this session with its tokens, and ends the others, on other replicas too', async () => {
    const first = await app.signIn();
    const ana = await anotherSession(app, first);
    const ben = await app.signIn();
    const replica = await app.replica();
    for (const user of [first, ana, ben]) expect((await profile(user, replica)).status).toBe(200);
    await moved(ana);
    expect((await profile(first)).body).toEqual(problem('access_token_invalid'));
    expect((await refresh(first)).body).toEqual(problem('refresh_token_invalid'));
    while ((await profile(first, replica)).status === 200);
    for (const user of [ana, ben]) {
      expect((await profile(user)).status).toBe(200);
      expect((await refresh(user)).status).toBe(200);
    }
    const [row] = await app.sql(
      'SELECT revoked_reason FROM sessions WHERE user_id = $1 AND revoked_at IS NOT NULL',
      [ana.id],
    );
    expect(row).toEqual({ revoked_reason: 'phone_change' });
  });

  it('is audited with the sessions that it ended, and without a number', async () => {
    const first = await app.signIn();
    const ana = await anotherSession(app, first);
    const phone = aPhoneNumber();
    const code = await aCodeFor(app, ana, phone);
    await app.post(
      '/api/auth/phone-number/verify',
      { phone_number: phone, otp_code: code },
      { ...ana.bearer, 'user-agent': 'ExampleApp/2', 'x-request-id': 'the-move' },
    );
    const ended = await app.sql<{ id: string }>(
      'SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NOT NULL',
      [ana.id],
    );
    const entries = await app.sql(
      `SELECT * FROM audit_log WHERE object_id = $1 AND action = 'phone_number_changed'`,
      [ana.id],
    );
    expect(entries).toEqual([
      expect.objectContaining({
        actor_id: ana.id,
        object_type: 'user',
        user_agent: 'ExampleApp/2',
        request_id: 'the-move',
        payload: { session_ids: ended.map(({ id }) => id) },
      }),
    ]);
    expect(JSON.stringify(entries)).not.toContain(phone.slice(3));
    expect(JSON.stringify(entries)).not.toContain(ana.phoneNumber.slice(3));
  });

  it('takes a code from the user who asked for it alone', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const phone = aPhoneNumber();
    const code = await aCodeFor(app, ana, phone);
    for (let guess = 0; guess < 4; guess += 1) {
      expectProblem(await move(app, ben, phone, code), { status: 404, code: 'otp_not_found' });
    }
    expect((await move(app, await anotherSession(app, ana), phone, code)).status).toBe(200);
    expect(await numberOf(app, ben)).toBe(ben.phoneNumber);
  });

  it('takes no code that is for signing in, and its own opens no session', async () => {
    const ana = await app.signIn();
    const phone = aPhoneNumber();
    await app.signup(phone);
    expect((await move(app, ana, phone, await app.code(phone))).body).toEqual(problem('otp_not_found'));
    const another = aPhoneNumber();
    const code = await aCodeFor(app, ana, another);
    expect((await app.verify(another, code)).body).toEqual(problem('otp_not_found'));
    expect((await move(app, ana, another, code)).status).toBe(200);
  });

  it('takes three guesses, and none that is too late', async () => {
    const ana = await app.signIn();
    const phone = aPhoneNumber();
    const code = await aCodeFor(app, ana, phone);
    const answers: unknown[] = [];
    for (let guess = 0; guess < 4; guess += 1) {
      const { status, body } = await move(app, ana, phone, aWrongCode(code));
      answers.push([status, body.code, body.attempts_remaining]);
    }
    expect(answers).toEqual([
      [401, 'otp_invalid', 2],
      [401, 'otp_invalid', 1],
      [401, 'otp_invalid', 0],
      [429, 'otp_attempts_exceeded', undefined],
    ]);
    const late = aPhoneNumber();
    const lateCode = await aCodeFor(app, ana, late);
    app.clock.advance(600);
    const again = await app.signIn(ana.phoneNumber);
    expect((await move(app, again, late, lateCode)).body).toEqual(problem('otp_expired'));
    expect(await numberOf(app, ana)).toBe(ana.phoneNumber);
  });

  it('needs a sign-in within the last ten minutes, and uses no guess without', async () => {
    const ana = await app.signIn();
    app.clock.advance(500);
    const phone = aPhoneNumber();
    const code = await aCodeFor(app, ana, phone);
    app.clock.advance(100);
    for (let guess = 0; guess < 4; guess += 1) {
      expectProblem(await move(app, ana, phone, code), { status: 403, code: 'reauthentication_required' });
    }
    expect((await move(app, await app.signIn(ana.phoneNumber), phone, code)).status).toBe(200);
  });

  it('tells only a right code that the number is taken, and each code once', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const other = await anotherSession(app, ana);
    const code = await aCodeFor(app, other, ben.phoneNumber);
    expect((await move(app, other, ben.phoneNumber, aWrongCode(code))).body).toEqual(problem('otp_invalid'));
    expectProblem(await move(app, other, ben.phoneNumber, code), { status: 409, code: 'phone_number_taken' });
    expect((await move(app, other, ben.phoneNumber, code)).body).toEqual(problem('otp_not_found'));
    expect([await numberOf(app, ana), await numberOf(app, ben)]).toEqual([ana.phoneNumber, ben.phoneNumber]);
    for (const user of [ana, other, ben]) expect((await profile(user)).status).toBe(200);
    expect(
      await app.sql(`SELECT 1 FROM audit_log WHERE actor_id = $1 AND action = 'phone_number_changed'`, [
        ana.id,
      ]),
    ).toEqual([]);
  });

  it('takes a number whose user is suspended for taken', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [ben.id]);
    app.clock.advance(31);
    const code = await aCodeFor(app, ana, ben.phoneNumber);
    expect((await move(app, ana, ben.phoneNumber, code)).body).toEqual(problem('phone_number_taken'));
  });

  it('keeps the code good where the move fails', async () => {
    const ana = await app.signIn();
    const other = await anotherSession(app, ana);
    const phone = aPhoneNumber();
    const code = await aCodeFor(app, ana, phone);
    await app.sql(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`,
    );
    await app.sql(
      `CREATE TRIGGER refuse BEFORE INSERT ON audit_log FOR EACH ROW WHEN (NEW.action = 'phone_number_changed') EXECUTE FUNCTION refuse()`,
    );
    expect((await move(app, ana, phone, code)).body).toEqual(problem('internal_error'));
    await app.sql('DROP FUNCTION refuse CASCADE');
    expect(await numberOf(app, ana)).toBe(ana.phoneNumber);
    expect((await profile(other)).status).toBe(200);
    expect(await queuedNotices(app, ana.phoneNumber)).toEqual([]);
    expect((await move(app, ana, phone, code)).status).toBe(200);
    expect(await noticesTo(app, ana.phoneNumber)).toHaveLength(1);
  });

  it('refuses to move to the number that the account has by now', async () => {
    const ana = await app.signIn();
    const phone = aPhoneNumber();
    const code = await aCodeFor(app, ana, phone);
    await app.sql('UPDATE users SET phone_number = $2 WHERE id = $1', [ana.id, phone]);
    const { status, body } = await move(app, ana, phone, code);
    expect([status, body.errors]).toEqual([422, [expect.objectContaining({ code: 'unchanged' })]]);
  });
});

describe('the notice to the old number', () => {
  it('says that the account has moved, once, and neither code nor number', async () => {
    const ana = await app.signIn();
    await moved(ana);
    expect(await noticesTo(app, ana.phoneNumber)).toEqual([
      expect.objectContaining({
        body: 'Your Latchkey account has moved to another phone number. If this was not you, contact support.',
        otp_code: null,
        purpose: 'phone_change_notice',
      }),
    ]);
    while ((await queuedNotices(app, ana.phoneNumber)).length > 0);
    expect(await noticesTo(app, ana.phoneNumber)).toHaveLength(1);
  });

  it('is not sent where the number was taken', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    app.clock.advance(31);
    const code = await aCodeFor(app, ana, ben.phoneNumber);
    expect((await move(app, ana, ben.phoneNumber, code)).status).toBe(409);
    expect(await queuedNotices(app, ana.phoneNumber)).toEqual([]);
    const purposes = (await app.texts(ana.phoneNumber)).map(({ purpose }) => purpose);
    expect(purposes).not.toContain('phone_change_notice');
  });

  it('is tried again in doubt, and given up where the number takes no texts', async () => {
    let fate: () => Promise<object> = () => Promise.resolve({ fate: 'accepted' });
    const sent: unknown[] = [];
    const own = await TestApp.start({
      database: await app.freshDatabase(),
      send: (text) => {
        sent.push(text);
        return fate();
      },
    });
    const to = aPhoneNumber();
    const until = own.clock.now().getTime() + 24 * 60 * 60 * 1000;
    const send = () => own.runJob('phone-change-notice', { to, until });
    await send();
    expect(sent).toEqual([
      { to, body: expect.any(String), purpose: 'phone_change_notice', otpCode: null, validitySeconds: null },
    ]);
    fate = () => Promise.resolve({ fate: 'unknown' });
    await expect(send()).rejects.toThrow('no answer');
    fate = () => Promise.resolve({ fate: 'refused', code: 'sms_unavailable' });
    await expect(send()).rejects.toThrow('sms_unavailable');
    fate = () => Promise.reject(new Error('the wire is cut'));
    await expect(send()).rejects.toThrow('the wire is cut');
    fate = () => Promise.resolve({ fate: 'refused', code: 'phone_number_unreachable' });
    await send();
    const log = own.started.log.lines.join('');
    expect(log).toContain('cannot be told that it has moved');
    const before = sent.length;
    own.clock.advance(24 * 60 * 60);
    await send();
    expect(sent).toHaveLength(before);
    expect(own.started.log.lines.join('')).toContain('a day has passed');
    expect(log).not.toContain(to.slice(1));
  });
});
