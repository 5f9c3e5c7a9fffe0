import { aPhoneNumber, atOnce, type SignedInUser, tally, TestApp } from './helpers/app.js';
import { aCodeFor, anotherSession, ask, counted, move, numberOf } from './helpers/phone-change.js';

const DAY = 24 * 60 * 60;

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
  // Else forty requests on a busy machine take longer than a number waits.
  app.clock.stop();
});

async function liveSessions(userId: string): Promise<number | undefined> {
  const [row] = await app.sql<{ count: number }>(
    'SELECT count(*)::int FROM sessions WHERE user_id = $1 AND revoked_at IS NULL',
    [userId],
  );
  return row?.count;
}

// The same against one instance and against two on one database; here a number waits a second between two codes.
describe.each([
  ['one replica', 1],
  ['two replicas', 2],
])('requests at once, on %s', (_, replicas) => {
  const env = { OTP_RESEND_SECONDS: '1' };
  let apps: TestApp[];
  beforeAll(async () => {
    const first = await app.replica({ env });
    apps = replicas === 1 ? [first] : [first, await app.replica({ env })];
  });
  const some = (index: number): TestApp => apps[index % apps.length]!;

  it('for a code to one number send one, and count one', async () => {
    const ana = await app.signIn();
    const phone = aPhoneNumber();
    const answers = await atOnce(40, (index) => ask(some(index), ana, phone));
    expect(tally(answers)).toEqual({ 200: 1, 429: 39 });
    expect(new Set(answers.map(({ body }) => body.code))).toEqual(new Set([undefined, 'otp_cooldown']));
    expect(await counted(app, ana)).toBe(1);
    expect(await app.texts(phone)).toHaveLength(1);
  });

  it('for codes to numbers of their own send three', async () => {
    const ana = await app.signIn();
    const answers = await atOnce(40, (index) => ask(some(index), ana, aPhoneNumber()));
    expect(tally(answers)).toEqual({ 200: 3, 429: 37 });
    expect(await counted(app, ana)).toBe(3);
    const refused = answers.filter(({ status }) => status === 429).map(({ body }) => body);
    for (const body of refused) {
      expect(body.code).toBe('otp_limit_reached');
      expect(body.retry_after).toBeGreaterThan(DAY - 60);
    }
  });

  it('with one right code move the account once', async () => {
    const ana = await app.signIn();
    const phone = aPhoneNumber();
    const code = await aCodeFor(app, ana, phone);
    const answers = await atOnce(40, (index) => move(some(index), ana, phone, code));
    expect(tally(answers)[200]).toBe(1);
    expect(answers.filter(({ status }) => ![200, 404, 429].includes(status))).toEqual([]);
    expect(await numberOf(app, ana)).toBe(phone);
  });

  it('of fifteen users for one number give it to one of them', async () => {
    const users = await atOnce(15, () => app.signIn());
    const phone = aPhoneNumber();
    const codes: string[] = [];
    for (const user of users) {
      codes.push(await aCodeFor(some(0), user, phone));
      await app.endWaits();
    }
    const answers = await atOnce(15, (index) => move(some(index), users[index]!, phone, codes[index]!));
    expect(tally(answers)).toEqual({ 200: 1, 409: 14 });
    const winner = users[answers.findIndex(({ status }) => status === 200)]!;
    for (const user of users) {
      expect(await numberOf(app, user)).toBe(user === winner ? phone : user.phoneNumber);
    }
    // Used up, taken or not.
    const again = await atOnce(15, (index) => move(some(index), users[index]!, phone, codes[index]!));
    expect(tally(again)).toEqual({ 404: 15 });
  });

  it('of a move and of first sign-ins with the same number give it to one user', async () => {
    for (let round = 0; round < 10; round += 1) {
      const ana = await app.signIn();
      const phone = aPhoneNumber();
      await some(0).signup(phone);
      const signInCode = await app.code(phone);
      app.clock.advance(1);
      const code = await aCodeFor(some(0), ana, phone);
      const [change, signIn] = await Promise.all([
        move(some(round), ana, phone, code),
        some(round + 1).verify(phone, signInCode),
      ]);
      expect([signIn.status, [200, 409].includes(change.status)]).toEqual([200, true]);
      // Whoever came first: it was Ana's account by then, or became that of the newcomer.
      expect(signIn.body.is_new_user).toBe(change.status === 409);
      expect(signIn.body.user.id === ana.id).toBe(change.status === 200);
      expect(await numberOf(app, ana)).toBe(change.status === 200 ? phone : ana.phoneNumber);
    }
  });

  it('of a move and of sign-ins with the old number leave no session but that of the move', async () => {
    for (let round = 0; round < 10; round += 1) {
      const ana = await app.signIn();
      const phone = aPhoneNumber();
      const code = await aCodeFor(some(0), ana, phone);
      app.clock.advance(31);
      await some(0).signup(ana.phoneNumber);
      const signInCode = await app.code(ana.phoneNumber);
      const [change, signIn] = await Promise.all([
        move(some(round), ana, phone, code),
        some(round + 1).verify(ana.phoneNumber, signInCode),
      ]);
      expect([change.status, signIn.status]).toEqual([200, 200]);
      expect(await liveSessions(ana.id)).toBe(1);
      expect((await app.get('/api/auth/profile', ana.bearer)).body.phone_number).toBe(phone);
      expect(signIn.body.is_new_user).toBe(signIn.body.user.id !== ana.id);
    }
  });

  it('of sessions that move one account to numbers of their own let one do it', async () => {
    const first = await app.signIn();
    const sessions = [first, await anotherSession(app, first), await anotherSession(app, first)];
    const phones = sessions.map(() => aPhoneNumber());
    const codes: string[] = [];
    for (const [index, session] of sessions.entries()) {
      codes.push(await aCodeFor(some(0), session, phones[index]!));
    }
    const answers = await atOnce(3, (index) =>
      move(some(index), sessions[index]!, phones[index]!, codes[index]!),
    );
    expect(tally(answers)).toEqual({ 200: 1, 401: 2 });
    const winner = answers.findIndex(({ status }) => status === 200);
    expect(await numberOf(app, first)).toBe(phones[winner]);
    expect(await liveSessions(first.id)).toBe(1);
  });

  it('of users who want the numbers of each other get neither, and wait for nobody for ever', async () => {
    const users = await atOnce(2, () => app.signIn());
    const [ana, ben] = users as [SignedInUser, SignedInUser];
    app.clock.advance(31);
    const codes = [
      await aCodeFor(some(0), ana, ben.phoneNumber),
      await aCodeFor(some(0), ben, ana.phoneNumber),
    ];
    const answers = await Promise.all([
      move(some(0), ana, ben.phoneNumber, codes[0]!),
      move(some(1), ben, ana.phoneNumber, codes[1]!),
    ]);
    expect(tally(answers)).toEqual({ 409: 2 });
  });
});
