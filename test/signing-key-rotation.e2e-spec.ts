import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { atOnce, harness, type SignedInUser, TestApp } from './helpers/app.js';
import { kidOf, publishedBy } from './helpers/signing-keys.js';
import { until } from './helpers/eventually.js';

const run = promisify(execFile);
const SECRET = 'a-secret-for-tests-and-for-nothing-else';
const [MINUTE, HOUR, DAY] = [60, 60 * 60, 24 * 60 * 60];
// A key signs for 30 days; its successor is published a day before.
const DUE = 29 * DAY;

const start = async (env: Record<string, string> = {}) =>
  TestApp.start({ database: await harness.database(), env });

const rotateByHand = async (database: string, secret = SECRET): Promise<string> => {
  const { stdout } = await run(process.execPath, ['bin/latchkey.js', 'keys', 'rotate'], {
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database, APP_SECRET: secret },
  });
  return stdout;
};

afterEach(() => harness.closeApps());

const profile = (app: TestApp, user: SignedInUser) => app.get('/api/auth/profile', user.bearer);

describe('rotation by schedule', () => {
  it('publishes the next key a day before it signs', async () => {
    const app = await start();
    const [first] = await publishedBy(app);
    app.clock.advance(DUE - MINUTE);
    await app.runJob('signing-keys');
    expect(await publishedBy(app)).toEqual([first]);
    app.clock.advance(2 * MINUTE);
    await app.runJob('signing-keys');
    const [second, ...others] = await publishedBy(app);
    expect([second === first, others]).toEqual([false, [first]]);
    expect(kidOf((await app.signIn()).accessToken)).toBe(first);
    app.clock.advance(DAY - MINUTE);
    expect(kidOf((await app.signIn()).accessToken)).toBe(first);
    app.clock.advance(2 * MINUTE);
    expect(kidOf((await app.signIn()).accessToken)).toBe(second);
  });

  it('accepts tokens of the key before until they have expired, and then forgets that key', async () => {
    const app = await start({ ACCESS_TOKEN_TTL_SECONDS: '3600' });
    const [first] = await publishedBy(app);
    app.clock.advance(DUE);
    await app.runJob('signing-keys');
    const [second] = await publishedBy(app);
    app.clock.advance(DAY - 1);
    const ana = await app.signIn();
    expect(kidOf(ana.accessToken)).toBe(first);
    app.clock.advance(HOUR - 4);
    await app.runJob('signing-keys');
    expect(await publishedBy(app)).toEqual([second, first]);
    expect((await profile(app, ana)).status).toBe(200);
    app.clock.advance(10 * MINUTE);
    expect((await profile(app, ana)).body.code).toBe('access_token_expired');
    await app.runJob('signing-keys');
    expect(await publishedBy(app)).toEqual([second]);
    expect((await profile(app, ana)).body.code).toBe('access_token_invalid');
    const rows = await app.sql(
      'SELECT kid, private_key IS NULL AS is_dropped FROM signing_keys ORDER BY signs_from',
    );
    expect(rows).toEqual([
      { kid: first, is_dropped: true },
      { kid: second, is_dropped: false },
    ]);
  });

  it('goes on for years, one key after the other', async () => {
    const app = await start();
    const signers = new Set<string>();
    for (let day = 0; day < 400; day += 5) {
      signers.add(kidOf((await app.signIn()).accessToken));
      expect((await publishedBy(app)).length).toBeLessThanOrEqual(2);
      app.clock.advance(5 * DAY);
      await app.runJob('signing-keys');
    }
    // Looked at every five days only, a key signs a little longer.
    expect(signers.size).toBeGreaterThan(10);
    expect(signers.size).toBeLessThan(15);
  });

  it('is followed by the other replicas while they run', async () => {
    const one = await start();
    const two = await one.replica();
    one.clock.advance(DUE);
    await one.runJob('signing-keys');
    const keys = await publishedBy(one);
    expect(keys).toHaveLength(2);
    await until(async () => (await publishedBy(two)).length === 2);
    expect(await publishedBy(two)).toEqual(keys);
    one.clock.advance(DAY + 1);
    const ana = await one.signIn();
    const bob = await two.signIn();
    expect([ana, bob].map(({ accessToken }) => kidOf(accessToken))).toEqual([keys[0], keys[0]]);
    expect((await profile(two, ana)).status).toBe(200);
    expect((await profile(one, bob)).status).toBe(200);
  });

  it('makes one key where two replicas rotate at once', async () => {
    const one = await start();
    const two = await one.replica();
    one.clock.advance(DUE);
    await atOnce(20, (index) => [one, two][index % 2]!.runJob('signing-keys'));
    const rows = await one.sql('SELECT kid FROM signing_keys');
    expect(rows).toHaveLength(2);
  });

  it('does no harm where the clocks of replicas differ', async () => {
    const fast = await start();
    const offset = 240;
    const slow = await TestApp.start({
      database: fast.started.database,
      clock: {
        now: () => new Date(fast.clock.now().getTime() - offset * 1000),
        advance: () => undefined,
      },
    });
    const agree = async () => {
      const [ana, bob] = [await fast.signIn(), await slow.signIn()];
      expect([(await profile(slow, ana)).status, (await profile(fast, bob)).status]).toEqual([200, 200]);
      return [ana, bob].map(({ accessToken }) => kidOf(accessToken));
    };
    const [first] = await publishedBy(fast);
    // To the slow one, the first key is of the future.
    expect(await agree()).toEqual([first, first]);
    fast.clock.advance(DUE);
    await fast.runJob('signing-keys');
    const [second] = await publishedBy(fast);
    await until(async () => (await publishedBy(slow)).length === 2);
    fast.clock.advance(DAY + offset / 2);
    expect(await agree()).toEqual([second, first]);
    fast.clock.advance(offset);
    expect(await agree()).toEqual([second, second]);
  });
});

describe('latchkey keys rotate', () => {
  it('has running servers sign with a new key from 10 minutes on, and says what happens when', async () => {
    const one = await start();
    const two = await one.replica();
    const ana = await one.signIn();
    const [first] = await publishedBy(one);
    const said = await rotateByHand(one.started.database);
    await Promise.all([one, two].map((app) => until(async () => (await publishedBy(app)).length === 2)));
    const [second] = await publishedBy(one);
    expect(said).toMatch(
      new RegExp(
        `^A new signing key is made: ${second}\\.\n` +
          ' {2}now {15}it is published in /.well-known/jwks.json; running servers accept it within seconds\n' +
          ' {2}\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\dZ {2}it signs access tokens, on every server\n' +
          ' {2}\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\dZ {2}the last token of the key before it has expired; .*\n' +
          'No server needs a restart, and nobody is signed out.\n$',
      ),
    );
    one.clock.advance(9 * MINUTE);
    expect(kidOf((await one.signIn()).accessToken)).toBe(first);
    one.clock.advance(2 * MINUTE);
    const bob = await one.signIn();
    expect(kidOf(bob.accessToken)).toBe(second);
    expect((await profile(two, bob)).status).toBe(200);
    expect((await profile(two, ana)).status).toBe(200);
    one.clock.advance(2 * HOUR);
    await two.runJob('signing-keys');
    await until(async () => (await publishedBy(one)).length === 1);
    expect(await publishedBy(one)).toEqual([second]);
  });

  it('makes one key, however many do it at once', async () => {
    const app = await start();
    const said = await atOnce(4, () => rotateByHand(app.started.database));
    expect(said.filter((text) => text.startsWith('A new signing key'))).toHaveLength(1);
    expect(said.filter((text) => text.startsWith('A rotation is under way already'))).toHaveLength(3);
    expect(await app.sql('SELECT kid FROM signing_keys')).toHaveLength(2);
  });

  it('makes none where another has just made one by a clock that is ahead', async () => {
    const app = await start();
    await rotateByHand(app.started.database);
    await app.sql(
      `UPDATE signing_keys SET signs_from = signs_from + interval '1 minute' WHERE signs_from > now()`,
    );
    expect(await rotateByHand(app.started.database)).toMatch(/^A rotation is under way already/);
    expect(await app.sql('SELECT kid FROM signing_keys WHERE retired_at IS NULL')).toHaveLength(2);
  });

  it('takes the place of a key that waits for its turn by schedule', async () => {
    const app = await start();
    const [first] = await publishedBy(app);
    await app.sql(`UPDATE signing_keys SET signs_from = signs_from - interval '29 days'`);
    await app.runJob('signing-keys');
    const [scheduled] = await publishedBy(app);
    await rotateByHand(app.started.database);
    await until(async () => !(await publishedBy(app)).includes(scheduled!));
    const [byHand, ...others] = await publishedBy(app);
    expect(others).toEqual([first]);
    app.clock.advance(2 * DAY);
    expect(kidOf((await app.signIn()).accessToken)).toBe(byHand);
  });

  it('makes no key under another secret than that of the servers', async () => {
    const app = await start();
    const rotation = rotateByHand(app.started.database, 'the-secret-of-something-else-altogether');
    await expect(rotation).rejects.toThrow('run this with the APP_SECRET of the servers');
    expect(await app.sql('SELECT kid FROM signing_keys')).toHaveLength(1);
  });
});
