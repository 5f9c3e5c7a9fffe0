import { atOnce, harness, TestApp } from './helpers/app.js';
import {
  anAttackedPrefix,
  anOpenPrefix,
  aStoppedClock,
  aTarget,
  auditOf,
  breakersOf,
  breakerRow,
  countSends,
  inTurnOn,
  refused,
  type Target,
  trySend,
} from './helpers/breakers.js';

let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock() });
  other = await app.replica();
});

describe('a breaker', () => {
  it('leaves alone what nothing is wrong with', async () => {
    const target = aTarget();
    await countSends(app, `prefix:${target.prefix}`, { minutesAgo: 15, unverified: 10 });
    expect(await trySend(app, target)).toBe('passed');
    expect(await breakerRow(app, `prefix:${target.prefix}`)).toBeUndefined();
  });

  it('opens for a prefix, and then sends one text each five minutes', async () => {
    const target = await anOpenPrefix(app);
    expect(await trySend(app, target)).toEqual({ retryAfter: 300 });
    app.clock.advance(100);
    expect(await trySend(app, target)).toEqual({ retryAfter: 200 });
    app.clock.advance(200);
    expect(await trySend(app, target)).toEqual({ trickleOf: target.scope });
  });

  it('says who opened and closed it, and why, where administrators look', async () => {
    const { scope } = await anOpenPrefix(app);
    const reason = { rule: 'hour', used: 11, limit: 10, verified_ratio: 0 };
    expect(await auditOf(app, scope)).toEqual([
      {
        actor_id: null,
        action: 'sms_breaker_opened',
        object_type: 'sms_breaker',
        object_id: null,
        payload: { scope, reason, open_until: expect.any(String) },
      },
    ]);
    const line = app.started.log.lines.find((each) => each.includes(scope));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ level: 'warn', breaker: scope, reason });
  });

  it('lets a known number pass, and asks nothing for it', async () => {
    const target = await anOpenPrefix(app);
    const breakers = await breakersOf(app);
    const statements = await harness.statements(() =>
      breakers.look({ ...target, isKnown: true }, app.clock.now()),
    );
    expect(statements).toEqual([]);
    expect(await trySend(app, { ...target, isKnown: true })).toBe('passed');
  });

  it('costs one statement, and none within a second', async () => {
    const breakers = await breakersOf(app);
    const look = (target: Target) => harness.statements(() => breakers.look(target, app.clock.now()));
    const target = aTarget({ country: 'PT' });
    await look(target);
    app.clock.advance(2);
    // The first of two finds the history of the hour read.
    expect(await look(target)).toEqual(['breaker_look']);
    expect(await look(target)).toEqual([]);
    expect(await look(aTarget({ country: 'PT' }))).toEqual(['breaker_look']);
  });

  it('is looked at once by two hundred at once', async () => {
    const breakers = await breakersOf(app);
    const target = aTarget({ country: 'PT' });
    app.clock.advance(2);
    const statements = await harness.statements(() =>
      atOnce(200, () => breakers.look(target, app.clock.now())),
    );
    expect(statements.filter((name) => name === 'breaker_look')).toHaveLength(1);
  });

  it('opens once where two replicas see at once that it must', async () => {
    const target = await anAttackedPrefix(app);
    app.clock.advance(2);
    await inTurnOn([app, other], 40, async (on) => (await breakersOf(on)).look(target, app.clock.now()));
    expect(await auditOf(app, target.scope)).toHaveLength(1);
    expect(await breakerRow(app, target.scope)).toMatchObject({ trips: 1 });
  });

  it('lets one of sixty at once through, on two replicas', async () => {
    const target = await anAttackedPrefix(app);
    const outcomes = await inTurnOn([app, other], 60, (on) => trySend(on, target));
    expect(outcomes.filter((outcome) => typeof outcome === 'object' && 'trickleOf' in outcome)).toHaveLength(
      1,
    );
    expect(refused(outcomes)).toHaveLength(59);
    app.clock.advance(301);
    expect(refused(await inTurnOn([app, other], 60, (on) => trySend(on, target)))).toHaveLength(59);
  });

  it('gives its turn back where the send was not reserved after all', async () => {
    const target = await anAttackedPrefix(app);
    const breakers = await breakersOf(app);
    const now = app.clock.now();
    const look = await breakers.look(target, now);
    const failed = app.started.transaction(async (transaction) => {
      await breakers.admit(transaction, look, now);
      throw new Error('something else');
    });
    await expect(failed).rejects.toThrow('something else');
    expect(await breakerRow(app, target.scope)).toMatchObject({ trickled_at: null });
    expect(await trySend(app, target)).toEqual({ trickleOf: target.scope });
  });

  it('is open on a server that starts, and its turn taken', async () => {
    const target = await anOpenPrefix(app);
    const started = await app.replica();
    expect(refused([await trySend(started, target)])).toHaveLength(1);
    await started.started.close();
  });

  it('counts what it refused', async () => {
    const target = await anOpenPrefix(app);
    await inTurnOn([app, other], 10, (on) => trySend(on, target));
    const rows = await app.sql(
      `SELECT span, sum(refused)::integer AS refused FROM send_counters WHERE scope = 'prefix' AND key = $1 AND refused > 0
       GROUP BY span ORDER BY span`,
      [target.prefix],
    );
    expect(rows).toEqual([
      { span: 1, refused: 10 },
      { span: 60, refused: 10 },
    ]);
  });

  it('of any of the three scopes refuses, and the innermost tells whose turn was taken', async () => {
    const target = aTarget({ country: 'CV' });
    const { scope } = { scope: `prefix:${target.prefix}` };
    await countSends(app, scope, { minutesAgo: 15, unverified: 11 });
    await countSends(app, 'country:CV', { minutesAgo: 15, unverified: 21 });
    expect(await trySend(app, target)).toEqual({ trickleOf: scope });
    // Another prefix of that country has no breaker of its own, and finds the country's turn taken.
    expect(await trySend(app, aTarget({ country: 'CV' }))).toEqual({ retryAfter: 300 });
    app.clock.advance(300);
    expect(await trySend(app, aTarget({ country: 'CV' }))).toEqual({ trickleOf: 'country:CV' });
    // Nor does one go through the inner one while the outer refuses.
    expect(refused([await trySend(app, target)])).toHaveLength(1);
    const { trickled_at: inner } = (await breakerRow(app, scope)) as { trickled_at: Date };
    expect(app.clock.now().getTime() - inner.getTime()).toBeGreaterThan(290_000);
  });

  it('never has sends that go through several wait for each other', async () => {
    const targets: Target[] = [];
    for (let index = 0; index < 5; index += 1)
      targets.push({ ...(await anAttackedPrefix(app)), country: 'MZ' });
    await countSends(app, 'country:MZ', { minutesAgo: 15, unverified: 21 });
    for (let round = 0; round < 4; round += 1) {
      const outcomes = await atOnce(60, (index) =>
        trySend(index % 2 ? app : other, targets[index % targets.length]!),
      );
      expect(refused(outcomes)).toHaveLength(59);
      app.clock.advance(301);
    }
  });
});
