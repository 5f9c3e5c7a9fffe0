import { harness, TestApp } from './helpers/app.js';
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
  keepTrickle,
  openSecondsOf,
  refused,
  type Target,
  trySend,
} from './helpers/breakers.js';

const HOUR = 60 * 60;

let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock() });
  other = await app.replica();
});

describe('an open breaker', () => {
  it('closes when three of its newest five codes are entered, and not before', async () => {
    const target = await anOpenPrefix(app);
    const { scope } = target;
    for (const isVerified of [true, true, false, false, false]) await keepTrickle(app, scope, isVerified);
    app.clock.advance(1);
    expect(refused([await trySend(app, target)])).toHaveLength(1);
    await keepTrickle(app, scope, true);
    await keepTrickle(app, scope, true);
    app.clock.advance(1);
    // Of the newest five, the first is a moment older: two.
    expect(refused([await trySend(app, target)])).toHaveLength(1);
    await keepTrickle(app, scope, true);
    app.clock.advance(1);
    expect(await trySend(app, target)).toBe('passed');
    expect(await auditOf(app, scope)).toMatchObject([
      { action: 'sms_breaker_opened' },
      { action: 'sms_breaker_closed', payload: { scope, reason: 'trickle' } },
    ]);
  });

  it('is not closed by codes of the time before it opened', async () => {
    const target = aTarget();
    const scope = `prefix:${target.prefix}`;
    for (let count = 0; count < 5; count += 1) await keepTrickle(app, scope, true);
    app.clock.advance(1);
    await countSends(app, scope, { minutesAgo: 15, unverified: 11 });
    await trySend(app, target);
    app.clock.advance(1);
    expect(refused([await trySend(app, target)])).toHaveLength(1);
  });

  it('closes when its time is over, and holds nothing from before against anybody', async () => {
    const target = await anOpenPrefix(app);
    expect(await openSecondsOf(app, target.scope)).toBe(HOUR);
    app.clock.advance(HOUR - 2);
    await countSends(app, target.scope, { minutesAgo: 40, unverified: 30 });
    app.clock.advance(3);
    expect(await trySend(app, target)).toBe('passed');
    for (let minutes = 0; minutes < 150; minutes += 10) {
      app.clock.advance(600);
      expect(await trySend(app, target)).toBe('passed');
    }
    expect(await auditOf(app, target.scope)).toMatchObject([
      { action: 'sms_breaker_opened' },
      { action: 'sms_breaker_closed', payload: { reason: 'time' } },
    ]);
  });

  it('opens for twice as long each time, up to twelve hours, until a day was quiet', async () => {
    const target = await anAttackedPrefix(app);
    const lengths = [];
    for (let trip = 0; trip < 6; trip += 1) {
      await trySend(app, target);
      lengths.push(await openSecondsOf(app, target.scope));
      app.clock.advance(lengths.at(-1)! + 1);
      expect(await trySend(app, target)).toBe('passed');
      app.clock.advance(20 * 60);
      await countSends(app, target.scope, { minutesAgo: 15, unverified: 11 });
    }
    expect(lengths).toEqual([1, 2, 4, 8, 12, 12].map((hours) => hours * HOUR));
    app.clock.advance(24 * HOUR);
    await countSends(app, target.scope, { minutesAgo: 15, unverified: 11 });
    await trySend(app, target);
    expect(await openSecondsOf(app, target.scope)).toBe(HOUR);
  });

  it('closes once on two replicas', async () => {
    const target = await anOpenPrefix(app);
    app.clock.advance(HOUR + 1);
    expect(await inTurnOn([app, other], 40, (on) => trySend(on, target))).toEqual(Array(40).fill('passed'));
    expect(await auditOf(app, target.scope)).toHaveLength(2);
  });

  it('is not opened again by a replica that counted before it closed', async () => {
    const rows = await harness.load<BreakerRows>('otp/breakers/breaker-rows.js');
    const target = await anOpenPrefix(app);
    app.clock.advance(HOUR + 1);
    await trySend(app, target);
    const scope = { name: target.scope, kind: 'prefix', key: target.prefix };
    const seen = { scope, openedAt: null, countsFrom: null };
    const trip = { rule: 'hour', used: 11, limit: 10, verifiedRatio: 0, openMs: 1000 };
    const open = (of: object) =>
      app.started.transaction((transaction) => rows.openBreaker(transaction, of, trip, app.clock.now()));
    expect(await open(seen)).toBeUndefined();
    expect(
      await open({ ...seen, countsFrom: (await breakerRow(app, target.scope))?.['counts_from'] }),
    ).toBeDefined();
  });
});

interface BreakerRows {
  openBreaker(transaction: unknown, seen: object, trip: object, now: Date): Promise<object | undefined>;
}

describe('the provider', () => {
  const openByProvider = async (on: TestApp, { prefix }: Target) =>
    (await breakersOf(on)).openByProvider(prefix, app.clock.now());

  it('opens a prefix for twelve hours, once, however often it says so', async () => {
    const target = aTarget();
    const scope = `prefix:${target.prefix}`;
    await inTurnOn([app, other], 20, (on) => openByProvider(on, target));
    expect(await openSecondsOf(app, scope)).toBe(12 * HOUR);
    expect(await auditOf(app, scope)).toMatchObject([{ payload: { reason: { rule: 'provider' } } }]);
    expect(await trySend(app, target)).toEqual({ trickleOf: scope });
  });

  it('keeps one that is open already open for longer', async () => {
    const target = await anOpenPrefix(app);
    await openByProvider(app, target);
    app.clock.advance(11 * HOUR);
    expect(await trySend(app, target)).toEqual({ trickleOf: target.scope });
  });
});

describe('the job breaker-purge', () => {
  it('closes what nobody sends to, and forgets what has long been closed', async () => {
    const { scope } = await anOpenPrefix(app);
    app.clock.advance(HOUR + 1);
    await app.runJob('breaker-purge');
    expect(await breakerRow(app, scope)).toMatchObject({ opened_at: null, trips: 1 });
    expect(await auditOf(app, scope)).toMatchObject([{}, { action: 'sms_breaker_closed' }]);
    app.clock.advance(47 * HOUR);
    await app.runJob('breaker-purge');
    expect(await breakerRow(app, scope)).toBeDefined();
    app.clock.advance(2 * HOUR);
    await app.runJob('breaker-purge');
    expect(await breakerRow(app, scope)).toBeUndefined();
  });
});
