import { type Answer, aPhoneNumber, atOnce, tally, TestApp } from './helpers/app.js';
import { aStoppedClock } from './helpers/breakers.js';
import { aChallenge } from './helpers/challenge.js';
import {
  Client,
  DAY,
  failuresOf,
  HOUR,
  MINUTE,
  POLICY_OF_NUMBERS,
  wrongGuessesAtOnce,
} from './helpers/policy.js';

const [OLD, NEW] = ['the-older-of-two-secrets-of-a-rotation', 'the-newer-of-two-secrets-of-a-rotation'];

let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock(), env: POLICY_OF_NUMBERS });
  other = await app.replica({ env: POLICY_OF_NUMBERS });
});

/** The length of the code that somebody new asks for. */
async function lengthFor(phone: string, on = app, more: object = {}): Promise<number> {
  const { status, body } = await new Client(on).signup(phone, more);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.code_length;
}

/** So many codes of strangers, a day apart, each guessed wrong three times. @returns their lengths. */
async function attack(phone: string, codes: number): Promise<number[]> {
  const lengths: number[] = [];
  for (let code = 0; code < codes; code += 1) {
    const stranger = new Client(app);
    lengths.push((await stranger.signup(phone)).body.code_length);
    await stranger.fail(phone);
    app.clock.advance(DAY);
  }
  return lengths;
}

describe('codes of a number', () => {
  it('grow with the guesses that failed in thirty days', async () => {
    const phone = aPhoneNumber();
    expect(await attack(phone, 9)).toEqual([4, 4, 6, 6, 6, 6, 6, 8, 8]);
    app.clock.advance(22 * DAY);
    expect(await lengthFor(phone)).toBe(8);
    app.clock.advance(DAY);
    // Nine of them are thirty days old.
    expect(await lengthFor(phone)).toBe(6);
  });

  it('grow whoever asks for another after two guesses', async () => {
    const phone = aPhoneNumber();
    const lengths: number[] = [];
    for (let code = 0; code < 4; code += 1) {
      const stranger = new Client(app);
      const { body } = await stranger.signup(phone);
      lengths.push(body.code_length);
      await stranger.fail(phone, 2);
      app.clock.advance(body.resend_in);
    }
    // Two failed and one open, then four and one, six and one.
    expect(lengths).toEqual([4, 4, 6, 6]);
  });

  it('grow with guesses that are open: of other clients, and of a change of number', async () => {
    const phone = aPhoneNumber();
    const user = await app.signIn();
    const moves = { phone_number: phone };
    expect(await lengthFor(phone)).toBe(4);
    app.clock.advance(30);
    expect(await lengthFor(phone, app, { code_challenge: aChallenge().challenge })).toBe(4);
    app.clock.advance(60);
    expect((await app.post('/api/auth/phone-number', moves, user.bearer)).body.code_length).toBe(6);

    const another = aPhoneNumber();
    await app.post('/api/auth/phone-number', { phone_number: another }, user.bearer);
    app.clock.advance(30);
    expect(await lengthFor(another)).toBe(4);
    app.clock.advance(60);
    expect(await lengthFor(another, app, { code_challenge: aChallenge().challenge })).toBe(6);
    app.clock.advance(10 * MINUTE);
    expect(await lengthFor(another)).toBe(4);
  });

  it('grow with guesses that may have come just before their code expired', async () => {
    const phone = aPhoneNumber();
    const stranger = new Client(app);
    await stranger.signup(phone);
    await stranger.fail(phone, 1);
    app.clock.advance(30);
    expect(await lengthFor(phone)).toBe(4);
    app.clock.advance(10 * MINUTE + 4);
    expect(await lengthFor(phone)).toBe(6);
    app.clock.advance(2 * HOUR);
    expect(await lengthFor(phone)).toBe(4);
  });

  it('asked for at once, by devices that each have a lane, know of each other', async () => {
    for (let round = 0; round < 3; round += 1) {
      const phone = aPhoneNumber();
      const tokens: string[] = [];
      for (let device = 0; device < 5; device += 1) {
        tokens.push((await new Client(app).signIn(phone)).body.device_token);
        app.clock.advance(30);
      }
      app.clock.advance(DAY);
      const answers = await atOnce(5, (index) => {
        const more = { device_token: tokens[index], code_challenge: aChallenge().challenge };
        return new Client(index % 2 ? app : other).signup(phone, more);
      });
      expect(answers.map(({ body }) => body.code_length).sort()).toEqual([4, 4, 4, 4, 6]);
    }
  });

  it('are as long as the client asks, or as the level', async () => {
    const phone = aPhoneNumber();
    expect(await lengthFor(phone, app, { min_code_length: 5 })).toBe(5);
    await new Client(app).fail(phone);
    app.clock.advance(HOUR);
    await attack(phone, 1);
    expect(await lengthFor(phone, app, { min_code_length: 5 })).toBe(6);
    app.clock.advance(HOUR);
    expect(await lengthFor(phone, app, { min_code_length: 7 })).toBe(7);
  });

  it('have OTP_LENGTH digits at least', async () => {
    const six = await app.replica({ env: { ...POLICY_OF_NUMBERS, OTP_LENGTH: '6' } });
    const phone = aPhoneNumber();
    expect(await lengthFor(phone, six)).toBe(6);
    app.clock.advance(DAY);
    await attack(phone, 7);
    expect(await lengthFor(phone, six)).toBe(8);
  });
});

describe('failed guesses', () => {
  it.each([1, 2])('of 200 at once on %d replica(s), three are taken and counted', async (replicas) => {
    const phone = aPhoneNumber();
    await new Client(app).signup(phone);
    let answers: Answer[] = [];
    const counted = await failuresOf(app, async () => {
      answers = await wrongGuessesAtOnce([app, other].slice(0, replicas), phone, 200);
    });
    expect(tally(answers)).toEqual({ 401: 3, 429: 197 });
    expect(counted).toEqual({ numbers: 3, address: 3, network: 3, service: 3 });
  });

  it('are no right ones', async () => {
    const phone = aPhoneNumber();
    expect(await failuresOf(app, () => new Client(app).signIn(phone))).toEqual({});
  });

  it.each([1, 2])('are no right ones, though twenty are sent at once to %d replica(s)', async (replicas) => {
    const phone = aPhoneNumber();
    const home = new Client(app);
    await home.signup(phone);
    const code = await app.code(phone);
    const counted = await failuresOf(app, async () => {
      const answers = await atOnce(20, (index) =>
        home.by([app, other][index % replicas]!).verify(phone, code),
      );
      expect(tally(answers)[200]).toBe(1);
    });
    expect(counted).toEqual({});
  });

  it('outlive a resend, another replica, a restart and the account', async () => {
    const phone = aPhoneNumber();
    await attack(phone, 2);
    expect(await lengthFor(phone)).toBe(6);
    app.clock.advance(MINUTE);
    expect(await lengthFor(phone, other)).toBe(6);
    app.clock.advance(DAY);
    const restarted = await app.replica({ env: POLICY_OF_NUMBERS });
    expect(await lengthFor(phone, restarted)).toBe(6);
    app.clock.advance(DAY);
    const { body } = await new Client(app).signIn(phone);
    const bearer = { authorization: `Bearer ${body.access_token}` };
    expect((await app.request('DELETE', '/api/auth/account', { headers: bearer })).status).toBe(204);
    app.clock.advance(DAY);
    expect(await lengthFor(phone)).toBe(6);
  });

  it('outlive a rotation of APP_SECRET, and are seen by either side of it', async () => {
    const by = (secrets: string) => app.replica({ env: { ...POLICY_OF_NUMBERS, APP_SECRET: secrets } });
    const [first, last] = [await by(`${OLD},${NEW}`), await by(`${NEW},${OLD}`)];
    const phone = aPhoneNumber();
    for (const replica of [first, last]) {
      const stranger = new Client(replica);
      expect((await stranger.signup(phone)).body.code_length).toBe(4);
      await stranger.fail(phone);
      app.clock.advance(DAY);
    }
    for (const replica of [first, last]) {
      expect(await lengthFor(phone, replica)).toBe(6);
      app.clock.advance(HOUR);
    }
  });

  it('leave one of forty signups at once on either side of a rotation', async () => {
    const by = (secrets: string) => app.replica({ env: { ...POLICY_OF_NUMBERS, APP_SECRET: secrets } });
    for (const secrets of [
      [OLD, `${OLD},${NEW}`],
      [`${OLD},${NEW}`, `${NEW},${OLD}`],
      [`${NEW},${OLD}`, NEW],
    ]) {
      const replicas = await Promise.all(secrets.map(by));
      for (let round = 0; round < 5; round += 1) {
        const phone = aPhoneNumber();
        const answers = await atOnce(40, (index) => new Client(replicas[index % 2]!).signup(phone));
        expect(tally(answers)).toEqual({ 200: 1, 429: 39 });
        expect(await app.texts(phone)).toHaveLength(1);
      }
    }
  });
});

describe('codes of the own device', () => {
  async function anOwner(
    phone = aPhoneNumber(),
  ): Promise<{ phone: string; token: string; bearer: object; home: Client }> {
    const home = new Client(app);
    const { body } = await home.signIn(phone);
    app.clock.advance(DAY);
    return {
      phone,
      home,
      token: body.device_token,
      bearer: { authorization: `Bearer ${body.access_token}` },
    };
  }

  const own = (device_token: string) => ({ device_token, code_challenge: aChallenge().challenge });

  it('stay as they are while strangers guess, where nobody else can guess at them', async () => {
    const { phone, token, home } = await anOwner();
    await attack(phone, 8);
    expect(await lengthFor(phone)).toBe(8);
    const { verifier, challenge } = aChallenge();
    const answer = await home.signup(phone, { device_token: token, code_challenge: challenge });
    expect([answer.status, answer.body.code_length]).toEqual([200, 4]);
    const guess = await home.verify(phone, await app.code(phone), { code_verifier: verifier });
    expect(guess.status).toBe(200);
    app.clock.advance(HOUR);
    expect((await home.signup(phone, { device_token: token })).body.code_length).toBe(8);
  });

  it('grow with the failures of that device, and those of strangers with them', async () => {
    const { phone, token, home } = await anOwner();
    const lengths: number[] = [];
    for (let code = 0; code < 3; code += 1) {
      const { verifier, challenge } = aChallenge();
      const more = { device_token: token, code_challenge: challenge };
      lengths.push((await home.signup(phone, more)).body.code_length);
      await home.fail(phone, 3, { code_verifier: verifier });
      app.clock.advance(DAY);
    }
    expect(lengths).toEqual([4, 4, 6]);
    expect(await lengthFor(phone)).toBe(6);
  });

  it('are no others: a token that is not good is as none', async () => {
    const { phone, token } = await anOwner();
    const { token: foreign } = await anOwner();
    await attack(phone, 2);
    const forged = `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    for (const bad of [foreign, forged, `${token}A`, '', 'x']) {
      expect(await lengthFor(phone, app, own(bad))).toBe(6);
      app.clock.advance(DAY);
    }
    expect(await lengthFor(phone, app, own(token))).toBe(4);
  });

  it('are so no longer once the account has gone, or moved away', async () => {
    const gone = await anOwner();
    await attack(gone.phone, 2);
    const { body } = await new Client(app).signIn(gone.phone);
    const headers = { authorization: `Bearer ${body.access_token}` };
    expect((await app.request('DELETE', '/api/auth/account', { headers })).status).toBe(204);
    await app.endWaits();
    const { token: again } = await anOwner(gone.phone);
    expect(await lengthFor(gone.phone, app, own(gone.token))).toBe(6);
    app.clock.advance(DAY);
    expect(await lengthFor(gone.phone, app, own(again))).toBe(4);

    const moved = await anOwner();
    await attack(moved.phone, 2);
    const session = await new Client(app).signIn(moved.phone);
    const bearer = { authorization: `Bearer ${session.body.access_token}` };
    const next = aPhoneNumber();
    await app.post('/api/auth/phone-number', { phone_number: next }, bearer);
    const guess = { phone_number: next, otp_code: await app.code(next) };
    expect((await app.post('/api/auth/phone-number/verify', guess, bearer)).status).toBe(200);
    app.clock.advance(DAY);
    expect(await lengthFor(moved.phone, app, own(moved.token))).toBe(6);
  });
});
