import { anAdministrator } from './helpers/administrator.js';
import { type Answer, atOnce, expectProblem, type SignedInUser, tally, TestApp } from './helpers/app.js';
import {
  anAttackedPrefix,
  anOpenPrefix,
  aTarget,
  auditOf,
  breakerRow,
  countSends,
  keepTrickle,
  refused,
  trySend,
} from './helpers/breakers.js';

const HOUR = 60 * 60;

let app: TestApp;
let other: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  other = await app.replica();
  admin = await anAdministrator(app);
});

const set = (scope: string, state: string, on = app): Promise<Answer> =>
  on.request('PUT', `/api/admin/sms/breakers/${scope}`, { body: { state }, headers: admin.bearer });

/** Moves the clock; the access token would be over. */
async function later(seconds: number): Promise<void> {
  app.clock.advance(seconds);
  const { body } = await app.post('/api/auth/refresh', { refresh_token: admin.refreshToken });
  const { access_token: accessToken, refresh_token: refreshToken } = body;
  admin = { ...admin, accessToken, refreshToken, bearer: { authorization: `Bearer ${accessToken}` } };
}

const QUIET = {
  state: 'closed',
  mode: 'auto',
  open_until: null,
  reason: null,
  sends_1h: 0,
  sends_24h: 0,
  verified_ratio: null,
  unverified: 0,
  delivered: 0,
  refused: 0,
};

describe('PUT /api/admin/sms/breakers/{scope}', () => {
  it('opens a breaker until it is auto again, for all but known numbers', async () => {
    const target = aTarget({ country: 'NZ' });
    await trySend(app, target);
    expect((await set('country:NZ', 'open')).body).toEqual({
      ...QUIET,
      scope: 'country:NZ',
      state: 'open',
      mode: 'open',
      reason: { rule: 'administrator', used: null, limit: null, verified_ratio: null },
    });
    expect(await trySend(app, target)).toEqual({ trickleOf: 'country:NZ' });
    expect(refused([await trySend(app, target)])).toHaveLength(1);
    expect(await trySend(app, { ...target, isKnown: true })).toBe('passed');
    for (let count = 0; count < 5; count += 1) await keepTrickle(app, 'country:NZ', true);
    await later(3 * HOUR);
    await app.runJob('breaker-purge');
    expect(await trySend(app, target)).toEqual({ trickleOf: 'country:NZ' });
    expect((await set('country:NZ', 'auto')).body).toEqual(
      expect.objectContaining({ state: 'closed', mode: 'auto' }),
    );
    expect(await trySend(app, target)).toBe('passed');
  });

  it('closes one whatever its rules say, and starts afresh at auto', async () => {
    const target = await anOpenPrefix(app);
    expect((await set(target.scope, 'closed')).body).toMatchObject({
      state: 'closed',
      mode: 'closed',
      reason: null,
    });
    expect(await trySend(app, target)).toBe('passed');
    await countSends(app, target.scope, { minutesAgo: 15, unverified: 100 });
    app.clock.advance(2);
    expect(await trySend(app, target)).toBe('passed');
    await set(target.scope, 'auto');
    expect(await trySend(app, target)).toBe('passed');
    await later(20 * 60);
    await countSends(app, target.scope, { minutesAgo: 12, unverified: 11 });
    expect(await trySend(app, target)).toEqual({ trickleOf: target.scope });
  });

  it('leaves one that its rules have opened open at auto', async () => {
    const target = await anOpenPrefix(app);
    expect((await set(target.scope, 'auto')).body).toMatchObject({ state: 'open', mode: 'auto' });
    expect(await auditOf(app, target.scope)).toHaveLength(1);
  });

  it('is in force on another replica within a second', async () => {
    const target = aTarget({ country: 'FI' });
    await trySend(other, target);
    await set('country:FI', 'open');
    app.clock.advance(1);
    expect(await trySend(other, target)).toEqual({ trickleOf: 'country:FI' });
    await set('country:FI', 'auto');
  });

  it('is not undone by rules or a provider that were about to', async () => {
    const target = await anAttackedPrefix(app);
    await set(target.scope, 'closed');
    app.clock.advance(2);
    await atOnce(20, (index) => trySend(index % 2 ? app : other, target));
    expect(await breakerRow(app, target.scope)).toMatchObject({ mode: 'closed', opened_at: null });
  });

  it('writes down who did it, what was before, and what is, once for twenty at once', async () => {
    const scope = 'country:IS';
    const answers = await atOnce(20, (index) => set(scope, 'open', index % 2 ? app : other));
    expect(tally(answers)).toEqual({ 200: 20 });
    await set(scope, 'auto');
    await set(scope, 'auto');
    const entry = {
      actor_id: admin.id,
      action: 'sms_breaker_set',
      object_type: 'sms_breaker',
      object_id: null,
    };
    const [closed, open] = [
      { mode: 'auto', state: 'closed' },
      { mode: 'open', state: 'open' },
    ];
    expect(await auditOf(app, scope)).toEqual([
      { ...entry, payload: { scope, before: closed, after: open } },
      { ...entry, payload: { scope, before: open, after: closed } },
    ]);
    const { body } = await app.get('/api/admin/audit-log?action=sms_breaker_set&limit=1', admin.bearer);
    expect(body.items[0]).toMatchObject({ actor_id: admin.id, ip: '127.0.0.1', payload: { scope } });
  });

  it('makes no row where nothing changes', async () => {
    const { status: answered, body } = await set('country:LU', 'auto');
    expect({ answered, body }).toEqual({ answered: 200, body: { ...QUIET, scope: 'country:LU' } });
    expect(await breakerRow(app, 'country:LU')).toBeUndefined();
  });

  it.each(['prefix:%2B551196123', 'prefix:+551196123', 'service'])('takes %s', async (scope) => {
    expect((await set(scope, 'auto')).status).toBe(200);
  });

  it.each([
    'country:br',
    'country:ZZ',
    'country:',
    'country',
    'prefix:551196123',
    'prefix:+',
    'prefix:+5511961234567',
    'prefix:+0511961',
    'service:',
    'service:x',
    'country:BR:x',
    'planet:earth',
    '%20service',
    '%00',
  ])('refuses the scope %s', async (scope) => {
    expectProblem(await set(scope, 'open'), {
      status: 422,
      code: 'validation_failed',
      errors: [{ field: 'scope', code: expect.any(String), message: expect.any(String) }],
    });
  });
});
