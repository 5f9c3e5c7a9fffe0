import { anAdministrator } from './helpers/administrator.js';
import { type Answer, harness, type SignedInUser, TestApp } from './helpers/app.js';
import { anOpenPrefix, aTarget, attack, countSends, keepTrickle, trySend } from './helpers/breakers.js';
import { latchkey } from './helpers/command-line.js';

const HOUR = 60 * 60;

let app: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  admin = await anAdministrator(app);
});

const status = (query = ''): Promise<Answer> => app.get(`/api/admin/sms${query}`, admin.bearer);

/** Moves the clock; the access token would be over. */
async function later(seconds: number): Promise<void> {
  app.clock.advance(seconds);
  const { body } = await app.post('/api/auth/refresh', { refresh_token: admin.refreshToken });
  const { access_token: accessToken, refresh_token: refreshToken } = body;
  admin = { ...admin, accessToken, refreshToken, bearer: { authorization: `Bearer ${accessToken}` } };
}

interface Entry {
  scope: string;
  state: string;
}

async function prefixesShown(query?: string): Promise<string[]> {
  const { body } = await status(query);
  return (body.prefixes as Entry[]).map(({ scope }) => scope);
}

describe('GET /api/admin/sms', () => {
  it('shows of a prefix and a country what was sent, how it fares, and what is open, why', async () => {
    const target = await anOpenPrefix(app);
    await countSends(app, target.scope, { minutesAgo: 5 * 60, unverified: 3, verified: 6 });
    await countSends(app, 'country:BR', { minutesAgo: 30, unverified: 10, verified: 15 });
    await trySend(app, target);
    const { body } = await status();
    expect(body.mode).toBe('on');
    expect(body.prefixes).toContainEqual({
      scope: target.scope,
      state: 'open',
      mode: 'auto',
      open_until: expect.any(String),
      reason: { rule: 'hour', used: 11, limit: 10, verified_ratio: 0 },
      sends_1h: 11,
      sends_24h: 20,
      verified_ratio: 0.3,
      unverified: 14,
      delivered: 0,
      refused: 1,
    });
    expect(body.countries).toContainEqual(
      expect.objectContaining({ scope: 'country:BR', state: 'closed', mode: 'auto', reason: null }),
    );
  });

  it('shows the service, how near it is to its cap, and an alarm', async () => {
    const alone = await TestApp.start({ database: await app.freshDatabase(), env: { SMS_DAILY_CAP: '100' } });
    const boss = await anAdministrator(alone);
    await countSends(alone, 'service', { minutesAgo: 12 * 60, unverified: 69 });
    const service = async () => (await alone.get('/api/admin/sms', boss.bearer)).body.service;
    expect(await service()).toMatchObject({
      scope: 'service',
      state: 'closed',
      cap_limit: 100,
      alarm: false,
    });
    await countSends(alone, 'service', { minutesAgo: 12 * 60, unverified: 31 });
    expect(await service()).toMatchObject({ cap_limit: 100, alarm: true });
    expect((await service()).cap_used).toBeGreaterThanOrEqual(100);
    await alone.started.close();
  });

  it('shows the worst first, as many as are asked for, and all that are open beside', async () => {
    const alone = await TestApp.start({ database: await app.freshDatabase() });
    const boss = await anAdministrator(alone);
    const scopes = [];
    for (let unverified = 1; unverified <= 5; unverified += 1) {
      const scope = `prefix:${aTarget().prefix}`;
      scopes.unshift(scope);
      await countSends(alone, scope, { minutesAgo: 90, unverified, verified: 20 });
    }
    const quiet = `prefix:${aTarget().prefix}`;
    await latchkey(alone.started.database, 'sms', 'open', quiet);
    const { body } = await alone.get('/api/admin/sms?limit=2', boss.bearer);
    const shown = (body.prefixes as Entry[]).map(({ scope }) => scope);
    expect(shown).toEqual([...scopes.slice(0, 2), quiet]);
    await alone.started.close();
  });

  it('can be of one country', async () => {
    const brazil = await anOpenPrefix(app);
    const lisbon = { country: 'PT', prefix: '+35191234' };
    await countSends(app, `prefix:${lisbon.prefix}`, { minutesAgo: 15, unverified: 3 });
    await countSends(app, 'country:PT', { minutesAgo: 15, unverified: 3 });
    const { body } = await status('?country=PT');
    const scopesOf = (entries: Entry[]) => entries.map(({ scope }) => scope);
    expect(scopesOf(body.countries)).toEqual(['country:PT']);
    expect(scopesOf(body.prefixes)).toEqual([`prefix:${lisbon.prefix}`]);
    expect(await prefixesShown('?country=BR')).toContain(brazil.scope);
  });

  it('shows what was decided of the newest sends, without number and address', async () => {
    await keepTrickle(app, 'country:BR', true);
    const { body } = await status('?limit=100');
    expect(body.decisions[0]).toEqual({
      sent_at: expect.any(String),
      country: expect.any(String),
      prefix: expect.any(String),
      code_length: expect.any(Number),
      decision: expect.any(Object),
    });
  });

  it('says closed of one whose time is over, though nobody has sent to it since', async () => {
    const { scope } = await anOpenPrefix(app);
    await later(HOUR + 1);
    const { body } = await status('?limit=100');
    expect(body.prefixes).toContainEqual(
      expect.objectContaining({ scope, state: 'closed', open_until: null, reason: null }),
    );
  });

  it.each(['limit=0', 'limit=101', 'country=br', 'country=ZZ', 'country=', 'state=open'])(
    'refuses ?%s',
    async (query) => {
      expect((await status(`?${query}`)).status).toBe(422);
    },
  );

  it('reads no more for a hundred thousand prefixes under attack', async () => {
    const alone = await TestApp.start({ database: await app.freshDatabase() });
    const boss = await anAdministrator(alone);
    await attack(alone, 100_000, 1000);
    const { status: answered, body } = await alone.get('/api/admin/sms?limit=100', boss.bearer);
    expect(answered).toBe(200);
    // The hundred asked for, and five hundred of those that are open.
    expect(body.prefixes.length).toBeGreaterThanOrEqual(500);
    expect(body.prefixes.length).toBeLessThanOrEqual(600);
    await alone.started.close();
  });
});

describe('the statements of the overview', () => {
  it('are as many whatever there is to see', async () => {
    const statements = await harness.statements(() => status());
    expect(statements).toEqual([
      'sms_status_in_force',
      'sms_status_countries',
      'sms_status_prefixes',
      'sms_status_figures',
      'breaker_look',
      'breaker_history',
      'sms_status_decisions',
    ]);
  });
});
