import { aPhoneNumber, atOnce, problem, TestApp } from './helpers/app.js';
import { type Fate, LossyLine } from './helpers/lossy-line.js';
import { Phone, type PhoneOptions } from './helpers/phone.js';
import { seededRandom } from './helpers/seeded-random.js';

const PROFILE = '/api/auth/profile';
const SESSIONS = '/api/auth/sessions';
const REFRESH = '/api/auth/refresh';
const LOSSES: Fate[] = ['request lost', 'answer lost', 'answer torn'];
/** An access token is good for so long, and a little more for clocks that differ. */
const QUARTER_OF_AN_HOUR = 15 * 60 + 5;

let app: TestApp;
const lines: LossyLine[] = [];
beforeAll(async () => {
  app = await TestApp.start();
});
afterAll(async () => {
  await Promise.all(lines.map((line) => line.cut()));
});

const serverTime = () => app.clock.now().getTime();
const standingStill = () => 0;

async function aPhone(options: Partial<PhoneOptions> = {}) {
  const line = await LossyLine.to(app.started.url);
  lines.push(line);
  return { line, phone: await Phone.with({ url: line.url, now: serverTime, ...options }) };
}

async function aSignedInPhone(options: Partial<PhoneOptions> = {}) {
  const { line, phone } = await aPhone(options);
  const number = aPhoneNumber();
  await phone.app.signUp(number);
  const { user } = await phone.app.verify(await app.code(number));
  return { line, phone, userId: user.id };
}

/** These, and then all requests arrive. */
function inTurn(...fates: Fate[]): () => Fate {
  return () => fates.shift() ?? 'arrives';
}

const profileOn = async (phone: Phone) => (await phone.app.request<{ id: string }>(PROFILE)).body.id;

const sessionsOf = (userId: string) =>
  app.sql('SELECT counter, revoked_reason FROM sessions WHERE user_id = $1', [userId]);

/** The code of the error, or `none`. */
const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error as { code: string }).code,
  );

describe('a phone on a line that loses a third', () => {
  it('is answered 500 requests in one session, though its app is often killed', async () => {
    const random = seededRandom(7);
    const { line, phone, userId } = await aSignedInPhone();
    line.nextFate = () => (random() < 0.35 ? LOSSES[Math.floor(random() * 3)]! : 'arrives');
    const misuses: string[] = [];
    phone.launch({
      attempts: 25,
      // Too long for a repeat without its key.
      onPause: () => app.clock.advance(31),
      onSave: () => random() < 0.05 && phone.kill(),
      fetch: (url, init) => {
        misuses.push(...misusesIn(init, { phone, line }));
        return fetch(url, init);
      },
    });

    let kills = 0;
    for (let answered = 0; answered < 500;) {
      const requests = Math.ceil(random() * 8);
      const answers = atOnce(requests, (index) =>
        index === 3 ? endOtherSessions(phone) : expect(profileOn(phone)).resolves.toBe(userId),
      );
      const wasKilled = await Promise.race([answers.then(() => false), phone.killed.then(() => true)]);
      if (wasKilled) phone.launch({ now: (kills += 1) % 2 === 1 ? standingStill : serverTime });
      else answered += requests;
      app.clock.advance(QUARTER_OF_AN_HOUR);
    }

    expect({ misuses, signedOut: phone.signedOut }).toEqual({ misuses: [], signedOut: [] });
    const refreshes = phone.refreshTokens.size - 1;
    expect(await sessionsOf(userId)).toEqual([{ counter: refreshes, revoked_reason: null }]);
    expect(refreshes).toBeGreaterThan(80);
    expect(line.count(REFRESH)).toBeGreaterThan(refreshes + 20);
    expect(kills).toBeGreaterThan(5);
  });
});

async function endOtherSessions(phone: Phone): Promise<void> {
  const { status } = await phone.app.request(SESSIONS, { method: 'DELETE' });
  expect(status).toBe(204);
}

/** What a request uses that was not written to the keychain before. */
function misusesIn(
  { headers, body }: RequestInit,
  { phone, line }: { phone: Phone; line: LossyLine },
): string[] {
  const { 'Idempotency-Key': key, Authorization: bearer } = headers as Record<string, string>;
  const { refreshToken, refreshKey } = phone.stored;
  if (bearer === undefined) {
    const sent = [JSON.parse(body as string).refresh_token, key];
    return sent[0] === refreshToken && sent[1] === refreshKey ? [] : ['a refresh that would be forgotten'];
  }
  const issued = line.handled.find(({ answer }) => bearer === `Bearer ${answer?.access_token}`)?.answer;
  return phone.refreshTokens.has(issued?.refresh_token)
    ? []
    : ['an access token whose session would be lost'];
}

describe('an access token at its end', () => {
  it.each([
    ['ahead of it, as the clock is right', serverTime, 14 * 60, 0],
    ['after it, as the clock stands still', standingStill, QUARTER_OF_AN_HOUR, 20],
  ])('is refreshed once for twenty requests: %s', async (_, now, seconds, refused) => {
    const { line, phone, userId } = await aSignedInPhone({ now });
    app.clock.advance(seconds);
    expect(new Set(await atOnce(20, () => profileOn(phone)))).toEqual(new Set([userId]));
    expect(line.count(REFRESH)).toBe(1);
    expect(line.handled.filter(({ status }) => status === 401)).toHaveLength(refused);
    expect(await sessionsOf(userId)).toEqual([{ counter: 1, revoked_reason: null }]);
  });

  it('is not refreshed before, nor by an app that has just refreshed', async () => {
    const { line, phone } = await aSignedInPhone();
    app.clock.advance(13 * 60);
    await profileOn(phone);
    expect(line.count(REFRESH)).toBe(0);
    phone.launch();
    await profileOn(phone);
    await profileOn(phone);
    expect(line.count(REFRESH)).toBe(1);
  });
});

describe('an app that is killed', () => {
  it.each([
    ['after its refresh was sent, and before the answer was stored', 2],
    ['before its refresh was sent', 1],
  ])('goes on an hour later: %s', async (_, fatalSave) => {
    const { phone, userId } = await aSignedInPhone();
    let saves = 0;
    phone.launch({ onSave: () => (saves += 1) === fatalSave && phone.kill() });
    void profileOn(phone);
    await phone.killed;
    app.clock.advance(60 * 60);
    phone.launch();
    expect(await profileOn(phone)).toBe(userId);
    expect(await sessionsOf(userId)).toEqual([{ counter: 1, revoked_reason: null }]);
  });

  it('goes on under the same key after its network was gone for an hour', async () => {
    const { line, phone, userId } = await aSignedInPhone({ attempts: 3 });
    phone.launch();
    line.nextFate = () => 'answer lost';
    expect(await atOnce(5, () => refusalOf(profileOn(phone)))).toEqual(Array(5).fill('unreachable'));
    expect([line.count(REFRESH), phone.signedOut]).toEqual([3, []]);
    app.clock.advance(60 * 60);
    line.nextFate = inTurn();
    phone.launch();
    expect(await profileOn(phone)).toBe(userId);
  });
});

describe('a session that is over', () => {
  const logOut = async (refreshToken: string) => {
    await app.post('/api/auth/logout', { refresh_token: refreshToken });
  };
  const steal = async (refreshToken: string) => {
    await app.post(REFRESH, { refresh_token: refreshToken });
    app.clock.advance(QUARTER_OF_AN_HOUR);
  };

  it.each([
    ['ended elsewhere', logOut, 'refresh_token_invalid'],
    ['stolen', steal, 'refresh_token_reused'],
  ])('is forgotten, and the app told once: %s', async (_, end, code) => {
    const { line, phone } = await aSignedInPhone();
    const { refreshToken = '', deviceToken } = phone.stored;
    await end(refreshToken);
    expect(await atOnce(10, () => refusalOf(profileOn(phone)))).toEqual(Array(10).fill(code));
    expect(await refusalOf(profileOn(phone))).toBe('signed_out');
    expect([phone.signedOut, line.count(REFRESH)]).toEqual([[code], 1]);
    expect([phone.stored, await phone.app.isSignedIn()]).toEqual([{ deviceToken }, false]);
  });

  it('is over for the server too where the user has ended it, on a bad line', async () => {
    const { line, phone, userId } = await aSignedInPhone();
    line.nextFate = inTurn(...LOSSES);
    await phone.app.signOut();
    expect(await sessionsOf(userId)).toEqual([{ counter: 0, revoked_reason: 'logout' }]);
    expect([phone.signedOut, await refusalOf(profileOn(phone))]).toEqual([[], 'signed_out']);
  });
});

describe('a sign-in over a bad line', () => {
  it.each([
    ['requests', 'request lost'],
    ['answers', 'answer lost'],
    ['ends of answers', 'answer torn'],
  ] as const)('takes one text and one session where %s get lost', async (_, fate) => {
    const pauses: number[] = [];
    const onPause = (milliseconds: number) => {
      pauses.push(milliseconds);
      app.clock.advance(9);
    };
    const { line, phone } = await aPhone({ onPause });
    const number = aPhoneNumber();
    line.nextFate = inTurn(fate, fate, fate, fate);
    expect((await phone.app.signUp(number)).code_length).toBe(4);
    line.nextFate = inTurn(fate, fate, fate, fate);
    const { user, is_new_user } = await phone.app.verify(await app.code(number), "Ana's phone");
    expect([is_new_user, await profileOn(phone)]).toEqual([true, user.id]);
    expect(await app.texts(number)).toHaveLength(1);
    expect(await sessionsOf(user.id)).toEqual([{ counter: 0, revoked_reason: null }]);
    expect(pauses).toHaveLength(8);
    for (const four of [pauses.slice(0, 4), pauses.slice(4)]) {
      expect(four).toEqual([...four].sort((one, other) => one - other));
    }
  });

  it('goes on in an app that was killed at each step of it', async () => {
    const { line, phone } = await aPhone({ attempts: 1 });
    const number = aPhoneNumber();
    line.nextFate = inTurn('answer lost', 'arrives', 'answer lost');
    expect(await refusalOf(phone.app.signUp(number))).toBe('unreachable');
    phone.launch();
    await phone.app.signUp(number);
    phone.launch();
    expect(await refusalOf(phone.app.verify(await app.code(number)))).toBe('unreachable');
    phone.launch();
    const { user } = await phone.app.verify(await app.code(number));
    expect(await app.texts(number)).toHaveLength(1);
    expect(await sessionsOf(user.id)).toHaveLength(1);
  });

  it('has another code texted under another key, and leaves the waiting to the user', async () => {
    const { phone } = await aPhone({ onPause: () => app.clock.advance(3600) });
    const number = aPhoneNumber();
    await phone.app.signUp(number);
    await expect(phone.app.signUp(number)).rejects.toMatchObject({ code: 'otp_cooldown', retryAfter: 30 });
    app.clock.advance(30);
    await phone.app.signUp(number);
    expect(await app.texts(number)).toHaveLength(2);
    await expect(phone.app.verify('00000')).rejects.toMatchObject({ problem: problem('otp_invalid') });
    expect((await phone.app.verify(await app.code(number))).is_new_user).toBe(true);
  });
});

describe('a request', () => {
  it('is not sent again where that might do its work twice', async () => {
    const { line, phone } = await aSignedInPhone();
    line.nextFate = inTurn('answer lost');
    const upload = phone.app.request('/api/auth/complete-profile', { json: {} });
    expect(await refusalOf(upload)).toBe('unreachable');
    expect(line.count('/api/auth/complete-profile')).toBe(1);
  });

  it.each([
    [429, 'rate_limited', '7', 7_000],
    [503, 'service_unavailable', '7', 7_000],
    [502, 'http_502', undefined, 0],
  ])(
    'waits after %i %s as long as it is told, and a little more',
    async (status, code, retryAfter, least) => {
      const pauses: number[] = [];
      const refusals = 2;
      const { phone, userId } = await aSignedInPhone();
      let left = refusals;
      const fetchLater = (url: string, init: RequestInit) => {
        if (left === 0) return fetch(url, init);
        left -= 1;
        const headers = { ...(retryAfter && { 'Retry-After': retryAfter }) };
        const body = code.startsWith('http') ? '<h1>Bad gateway</h1>' : JSON.stringify({ code });
        return Promise.resolve(new Response(body, { status, headers }));
      };
      phone.launch({ fetch: fetchLater, onPause: (pause) => pauses.push(pause) });
      expect(await profileOn(phone)).toBe(userId);
      expect(pauses).toHaveLength(refusals);
      for (const pause of pauses) {
        expect(pause).toBeGreaterThan(least);
        expect(pause).toBeLessThanOrEqual(least + 1000);
      }
    },
  );

  it('never goes out again in the name of who has signed in meanwhile', async () => {
    const { line, phone } = await aSignedInPhone({ now: standingStill });
    const number = aPhoneNumber();
    app.clock.advance(QUARTER_OF_AN_HOUR);
    // On its way while the user changes.
    let arrive!: () => void;
    const changed = new Promise<void>((resolve) => (arrive = resolve));
    phone.launch({
      fetch: async (url, init) => (url.endsWith(PROFILE) && (await changed), fetch(url, init)),
    });
    const asked = refusalOf(profileOn(phone));
    await phone.app.signOut();
    await phone.app.signUp(number);
    await phone.app.verify(await app.code(number));
    arrive();
    expect(await asked).toBe('signed_out');
    expect(line.handled.filter(({ path }) => path === PROFILE)).toHaveLength(1);
  });
});
