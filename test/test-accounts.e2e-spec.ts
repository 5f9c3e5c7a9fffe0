import { setTimeout as delay } from 'node:timers/promises';

import {
  aPhoneNumber,
  type Answer,
  expectProblem,
  harness,
  type SignedInUser,
  TestApp,
} from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';
import { latchkey } from './helpers/command-line.js';
import { ask, move } from './helpers/phone-change.js';
import { aProfile, givePicture } from './helpers/profile.js';
import {
  accountOf,
  aFictionalNumber,
  appWith,
  auditOf,
  CODE,
  deleteAccount,
  signInWithFixedCode,
} from './helpers/test-numbers.js';

// One that knows no test number.
let plain: TestApp;
beforeEach(async () => {
  plain = await TestApp.start();
});
afterEach(() => harness.closeApps());

const isRefused = (answer: Answer) => expectProblem(answer, { status: 403, code: 'test_account' });

describe('a test account', () => {
  let app: TestApp;
  let reviewer: SignedInUser;
  beforeEach(async () => {
    const number = aFictionalNumber();
    app = await appWith([number], { env: { ACCESS_TOKEN_TTL_SECONDS: '3600' } });
    reviewer = await signInWithFixedCode(app, number);
  });

  it('has a profile like any other', async () => {
    expect((await app.get('/api/auth/profile', reviewer.bearer)).status).toBe(200);
    expect((await app.get('/api/auth/sessions', reviewer.bearer)).body.items).toHaveLength(1);
  });

  it.each<[string, () => Promise<Answer>]>([
    ['moved to another number', () => ask(app, reviewer, aPhoneNumber())],
    ['moved with a code', () => move(app, reviewer, aPhoneNumber(), CODE)],
    ['deleted', () => deleteAccount(app, reviewer.bearer)],
    ['exported', () => app.get('/api/auth/account/export', reviewer.bearer)],
  ])('is not %s, however long ago the sign-in', async (_, request) => {
    isRefused(await request());
    app.clock.advance(601);
    isRefused(await request());
    expect(await accountOf(plain, reviewer.phoneNumber)).toEqual({ id: reviewer.id, is_test: true });
  });

  it('is granted no role, by command line or by hand', async () => {
    const grant = latchkey(app.started.database, 'grant', 'admin', reviewer.phoneNumber);
    await expect(grant).rejects.toMatchObject({ stderr: expect.stringContaining('test account') });
    const byHand = app.sql(`UPDATE users SET roles = '{admin}' WHERE id = $1`, [reviewer.id]);
    await expect(byHand).rejects.toMatchObject({ constraint: 'users_test_check' });
  });
});

describe('moving to a test number', () => {
  it('is answered as moving to any other, and cannot be done, on a replica that knows it or not', async () => {
    const [test, other] = [aPhoneNumber(), aPhoneNumber()];
    const sent: string[] = [];
    const options = {
      // The code that somebody might guess.
      codes: () => '4821',
      send: ({ to }: { to: string }) => {
        sent.push(to);
        return Promise.resolve({ fate: 'accepted' });
      },
    };
    const app = await appWith([test], options);
    const without = await app.replica(options);
    const users: SignedInUser[] = [];
    for (let index = 0; index < 2; index += 1) {
      const phoneNumber = aPhoneNumber();
      users.push(await signInWithFixedCode(app, phoneNumber, '4821'));
    }
    const [ana, ben] = users as [SignedInUser, SignedInUser];
    sent.length = 0;
    const usual = await ask(app, ana, other);
    const answer = await ask(app, ana, test);
    expect([answer.status, answer.body]).toEqual([200, { ...usual.body, phone_number: test }]);
    expect(sent).toEqual([other]);
    for (const [replica, code] of [
      [app, CODE],
      [app, '4821'],
      [without, '4821'],
    ] as const) {
      expect((await move(replica, ana, test, code)).body).toMatchObject({ code: 'otp_invalid' });
    }
    // A code that the other replica has texted is no more good here.
    app.clock.advance(31);
    await ask(without, ben, test);
    expect((await move(app, ben, test, '4821')).body).toMatchObject({ code: 'otp_invalid' });
    expect(await accountOf(plain, test)).toBeUndefined();
  });

  it('is refused as moving to any number that is none', async () => {
    const number = aFictionalNumber();
    const app = await appWith([number]);
    const ana = await app.signIn();
    const usual = await ask(plain, ana, `+1555556${number.slice(-4)}`);
    expect(usual.status).toBe(422);
    for (const answer of [await ask(app, ana, number), await move(app, ana, number, CODE)]) {
      expectProblem(answer, { status: 422, code: usual.body.code });
    }
  });
});

describe('a number with an account that a texted code has made', () => {
  it('keeps a server from starting that has it as a test number, and is named without its digits and code', async () => {
    const [taken, free] = [aPhoneNumber(), aPhoneNumber()];
    const user = await plain.signIn(taken);
    const start = () => appWith([free, taken]);
    const error = await start().then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    expect(error?.message).toContain(
      `OTP_TEST_NUMBERS has ${taken.slice(0, 5)}*******${taken.slice(-2)}: an account`,
    );
    for (const secret of [taken, free, CODE]) expect(error?.message).not.toContain(secret);
    expect((await deleteAccount(plain, user.bearer)).status).toBe(204);
    const restarted = await start();
    restarted.clock.advance(31);
    await signInWithFixedCode(restarted, taken);
    // And again, now that it has a test account.
    await start();
  });

  it('is opened by no fixed code, if a replica without the entry was faster', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    const without = await app.replica();
    const owner = await without.signIn(number);
    const signedInAt = () => app.sql('SELECT last_sign_in_at FROM users WHERE id = $1', [owner.id]);
    const before = await signedInAt();
    for (const headers of [undefined, { 'idempotency-key': 'a-key-of-sixteen-characters' }]) {
      app.clock.advance(31);
      await app.signup(number);
      const guess = { phone_number: number, otp_code: CODE };
      const answer = await app.post('/api/auth/verify-otp', guess, headers);
      expectProblem(answer, { status: 404, code: 'otp_not_found' });
    }
    const masked = `${number.slice(0, 5)}*******${number.slice(-2)}`;
    expect(await auditOf(plain, owner.id, 'test_number_refused')).toEqual(
      Array.from({ length: 2 }, () =>
        expect.objectContaining({ actor_id: null, payload: { phone_number: masked } }),
      ),
    );
    expect(await signedInAt()).toEqual(before);
    expect((await without.get('/api/auth/sessions', owner.bearer)).body.items).toHaveLength(1);
    expect((await without.get('/api/auth/account/export', owner.bearer)).status).toBe(200);
  });

  it('takes codes of replicas of its own kind only', async () => {
    const [one, other] = [aPhoneNumber(), aPhoneNumber()];
    const app = await appWith([one, other], { codes: () => CODE });
    const without = await app.replica({ codes: () => CODE });
    await app.signup(one);
    await without.signup(other);
    // The digits are the same: what differs is who they were meant for.
    for (const answer of [await without.verify(one, CODE), await app.verify(other, CODE)]) {
      expectProblem(answer, { status: 401, code: 'otp_invalid', attempts_remaining: 2 });
    }
    expect((await app.verify(one, CODE)).status).toBe(200);
    expect((await without.verify(other, CODE)).status).toBe(200);
  });

  it('is never shared, whoever of the reviewers and its owner is first', async () => {
    const numbers = Array.from({ length: 16 }, () => aPhoneNumber());
    const app = await appWith(numbers);
    const without = await app.replica();
    const attempts = numbers.map((number) => ({ number, test: aChallenge(), own: aChallenge() }));
    await Promise.all(attempts.map((one) => app.signup(one.number, { code_challenge: one.test.challenge })));
    app.clock.advance(31);
    await Promise.all(
      attempts.map((one) => without.signup(one.number, { code_challenge: one.own.challenge })),
    );
    const codes = await Promise.all(numbers.map((number) => without.code(number)));
    const outcomes = await Promise.all(
      attempts.map(async ({ number, test, own }, index) => {
        // Head starts of either, from none to more than a sign-in takes: each order comes up, and what lies between.
        const late = delay(index * 10);
        const [reviewerStarts, ownerStarts] = index % 2 === 0 ? [undefined, late] : [late, undefined];
        const asReviewer = { code_verifier: test.verifier };
        const asOwner = { code_verifier: own.verifier };
        const [reviewer, owner] = await Promise.all([
          Promise.resolve(reviewerStarts).then(() => app.verify(number, CODE, asReviewer)),
          Promise.resolve(ownerStarts).then(() => without.verify(number, codes[index]!, asOwner)),
        ]);
        return { reviewer, owner };
      }),
    );
    for (const [index, { reviewer, owner }] of outcomes.entries()) {
      expect(owner.status).toBe(200);
      expect([200, 404]).toContain(reviewer.status);
      expect(await accountOf(plain, numbers[index]!)).toEqual({ id: owner.body.user.id, is_test: false });
      const sessions = await app.sql('SELECT id FROM sessions WHERE user_id = $1', [owner.body.user.id]);
      expect(sessions).toHaveLength(1);
      if (reviewer.status === 404) continue;
      expect(reviewer.body.user.id).not.toBe(owner.body.user.id);
      const left = await app.sql('SELECT id FROM sessions WHERE user_id = $1', [reviewer.body.user.id]);
      expect(left).toEqual([]);
    }
  });
});

describe('the account of reviewers', () => {
  it('is erased with all that it holds once its number is somebody’s', async () => {
    const number = aPhoneNumber();
    const app = await appWith([number]);
    const reviewer = await signInWithFixedCode(app, number);
    await givePicture(app, reviewer.id);
    const completed = await app.post('/api/auth/complete-profile', aProfile(), reviewer.bearer);
    expect(completed.status).toBe(200);
    app.clock.advance(31);
    const without = await app.replica();
    await without.signIn(number);
    expect(await app.sql('SELECT user_id FROM user_profiles WHERE user_id = $1', [reviewer.id])).toEqual([]);
    expect(await app.sql('SELECT id FROM profile_pictures WHERE user_id = $1', [reviewer.id])).toEqual([]);
    expect((await app.get(`/api/users/${reviewer.id}`, (await app.signIn()).bearer)).status).toBe(404);
  });
});
