import { sessionIdOf } from './helpers/access-token.js';
import { sessionsOf } from './helpers/sessions.js';
import { atOnce, problem, type SignedInUser, tally, TestApp } from './helpers/app.js';

interface PushDevice {
  userId: string;
  sessionId: string;
  platform: string;
  token: string;
}

interface PushTokensInTests {
  ofUsers(userIds: string[], transaction?: unknown): Promise<PushDevice[]>;
  forget(tokens: string[]): Promise<void>;
  register(sessionId: string, platform: string, token: string): Promise<void>;
}

const PUSH_TOKEN = '/api/auth/push-token';

let app: TestApp;
let pushTokens: PushTokensInTests;
beforeAll(async () => {
  app = await TestApp.start();
  pushTokens = await app.started.provider('auth/sessions/push-tokens.service.js', 'PushTokens');
});

let made = 0;
const aToken = () => `push-token:${(made += 1)}`;

const register = (user: SignedInUser, token: string, platform = 'ios', at = app) =>
  at.request('PUT', PUSH_TOKEN, { body: { platform, token }, headers: user.bearer });
const remove = (user: SignedInUser) => app.request('DELETE', PUSH_TOKEN, { headers: user.bearer });
const tokensOf = async (...users: SignedInUser[]) =>
  (await pushTokens.ofUsers(users.map(({ id }) => id))).map(({ token }) => token).sort();

describe('PUT /api/auth/push-token', () => {
  it('says where to push to this device, in place of what it said before', async () => {
    const ana = await app.signIn();
    const answer = await register(ana, 'an old one', 'ios');
    expect(answer.body).toEqual(problem('validation_failed'));
    for (const [token, platform] of [
      [aToken(), 'ios'],
      [aToken(), 'android'],
      [`{"endpoint":"https://push.example.com/${'x'.repeat(4000)}"}`, 'web'],
      ['~', 'web'],
      ['!'.repeat(4096), 'android'],
    ] as const) {
      const { status, body } = await register(ana, token, platform);
      expect([status, body]).toEqual([204, '']);
      expect(await pushTokens.ofUsers([ana.id])).toEqual([
        { userId: ana.id, sessionId: sessionIdOf(ana), platform, token },
      ]);
    }
  });

  it('gives each device of a user its own', async () => {
    const [phone, tablet] = (await sessionsOf(app, 2)) as [SignedInUser, SignedInUser];
    const tokens = [aToken(), aToken()] as const;
    await register(phone, tokens[0]);
    await register(tablet, tokens[1], 'android');
    expect(await tokensOf(phone)).toEqual([...tokens].sort());
  });

  it('takes the token off whoever had it before: a device that changes hands pushes to its new owner', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const [first, second] = (await sessionsOf(app, 2)) as [SignedInUser, SignedInUser];
    const token = aToken();
    for (const user of [ana, ben, first, second]) {
      expect((await register(user, token)).status).toBe(204);
      const devices = await pushTokens.ofUsers([ana.id, ben.id, first.id]);
      expect(devices).toEqual([expect.objectContaining({ sessionId: sessionIdOf(user), token })]);
    }
  });

  it('is not taken from a session that has ended meanwhile, and steals nothing for it', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const token = aToken();
    await register(ana, token);
    await app.post('/api/auth/logout', undefined, ben.bearer);
    // As a request that was let in the moment before.
    await expect(pushTokens.register(sessionIdOf(ben), 'ios', token)).rejects.toMatchObject({
      code: 'access_token_invalid',
    });
    expect(await tokensOf(ana, ben)).toEqual([token]);
  });
});

// The same against one instance and against two on one database.
describe.each([
  ['one replica', 1],
  ['two replicas', 2],
])('registrations at once, on %s', (_, replicas) => {
  let apps: TestApp[];
  beforeAll(async () => {
    apps = replicas === 1 ? [app] : [app, await app.replica()];
  });
  const some = (index: number): TestApp => apps[index % apps.length]!;

  it('of one token by thirty users leave it with one of them', async () => {
    const users = await atOnce(30, () => app.signIn());
    const token = aToken();
    const answers = await atOnce(30, (index) => register(users[index]!, token, 'ios', some(index)));
    expect(tally(answers)).toEqual({ 204: 30 });
    expect(await tokensOf(...users)).toEqual([token]);
  });

  it('of thirty tokens by one session leave it with one of them', async () => {
    const ana = await app.signIn();
    const answers = await atOnce(30, (index) => register(ana, aToken(), 'ios', some(index)));
    expect(tally(answers)).toEqual({ 204: 30 });
    expect(await tokensOf(ana)).toHaveLength(1);
  });

  it('by devices that swap their tokens, time and again, wait for nobody for ever', async () => {
    const users = await atOnce(4, () => app.signIn());
    const tokens = users.map(aToken);
    for (let round = 0; round < 25; round += 1) {
      const answers = await atOnce(16, (index) =>
        register(users[index % 4]!, tokens[(index + round) % 4]!, 'ios', some(index)),
      );
      expect(tally(answers)).toEqual({ 204: 16 });
    }
    const left = await tokensOf(...users);
    expect(new Set(left).size).toBe(left.length);
  });
});

describe('DELETE /api/auth/push-token', () => {
  it('stops pushes to this device alone, and is fine where there are none', async () => {
    const [phone, tablet] = (await sessionsOf(app, 2)) as [SignedInUser, SignedInUser];
    const kept = aToken();
    await register(phone, aToken());
    await register(tablet, kept);
    for (let time = 0; time < 2; time += 1) {
      const { status, body } = await remove(phone);
      expect([status, body]).toEqual([204, '']);
      expect(await tokensOf(phone)).toEqual([kept]);
    }
  });
});

describe('a push token', () => {
  it.each<[how: string, end: (lost: SignedInUser, other: SignedInUser) => Promise<unknown>]>([
    ['its logout', ({ bearer }) => app.post('/api/auth/logout', undefined, bearer)],
    [
      'another session of the user',
      (lost, { bearer }) =>
        app.request('DELETE', `/api/auth/sessions/${sessionIdOf(lost)}`, { headers: bearer }),
    ],
    [
      'the end of all others',
      (_, { bearer }) => app.request('DELETE', '/api/auth/sessions', { headers: bearer }),
    ],
  ])('ends with its session, by %s, and is not kept', async (_how, end) => {
    const [lost, other] = (await sessionsOf(app, 2)) as [SignedInUser, SignedInUser];
    await register(lost, aToken());
    await end(lost, other);
    expect(await tokensOf(lost)).toEqual([]);
    const rows = await app.sql(
      `SELECT push_platform, push_token FROM sessions WHERE user_id = $1 AND revoked_at IS NOT NULL`,
      [lost.id],
    );
    expect(rows).toEqual([{ push_platform: null, push_token: null }]);
  });

  it('ends with a session that is one too many', async () => {
    const [oldest] = await sessionsOf(app, 1);
    const token = aToken();
    await register(oldest!, token);
    for (let session = 0; session < 19; session += 1) {
      await app.signIn(oldest!.phoneNumber);
      app.clock.advance(31);
    }
    expect(await tokensOf(oldest!)).toEqual([token]);
    await app.signIn(oldest!.phoneNumber);
    expect(await tokensOf(oldest!)).toEqual([]);
    expect(await app.sql('SELECT id FROM sessions WHERE push_token = $1', [token])).toEqual([]);
  });

  it('is that of a session of its user, of which a refresh takes nothing', async () => {
    const ana = await app.signIn();
    const token = aToken();
    await register(ana, token);
    await app.post('/api/auth/refresh', { refresh_token: ana.refreshToken });
    expect(await tokensOf(ana)).toEqual([token]);
  });
});

describe('PushTokens', () => {
  it('knows the devices of many users, and of nobody else', async () => {
    const [ana, ben, cleo, dora] = await atOnce(4, () => app.signIn());
    for (const user of [ana!, ben!, cleo!]) await register(user, `of-${user.id}`);
    expect(await tokensOf(ana!, ben!, dora!)).toEqual([`of-${ana!.id}`, `of-${ben!.id}`].sort());
    expect(await pushTokens.ofUsers([])).toEqual([]);
    expect(await pushTokens.ofUsers([crypto.randomUUID()])).toEqual([]);
  });

  it('counts sessions by its clock, and leaves out those that are over', async () => {
    const own = await TestApp.start({ database: await app.freshDatabase() });
    const service = await own.started.provider<PushTokensInTests>(
      'auth/sessions/push-tokens.service.js',
      'PushTokens',
    );
    const ana = await own.signIn();
    await register(ana, aToken(), 'web', own);
    own.clock.advance(30 * 24 * 60 * 60 - 60);
    expect(await service.ofUsers([ana.id])).toHaveLength(1);
    own.clock.advance(60);
    expect(await service.ofUsers([ana.id])).toEqual([]);
  });

  it('leaves out who is suspended, until they are back', async () => {
    const ana = await app.signIn();
    const token = aToken();
    await register(ana, token);
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [ana.id]);
    expect(await tokensOf(ana)).toEqual([]);
    await app.sql(`UPDATE users SET status = 'active' WHERE id = $1`, [ana.id]);
    expect(await tokensOf(ana)).toEqual([token]);
  });

  it('forgets tokens that are dead, and ends no session', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const [dead, alive] = [aToken(), aToken()];
    await register(ana, dead);
    await register(ben, alive);
    await pushTokens.forget([dead, aToken()]);
    await pushTokens.forget([]);
    expect(await tokensOf(ana, ben)).toEqual([alive]);
    expect((await app.get('/api/auth/profile', ana.bearer)).status).toBe(200);
  });
});
