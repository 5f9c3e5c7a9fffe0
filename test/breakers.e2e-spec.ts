import { atOnce, harness, TestApp } from './helpers/app.js';
import {
  aTarget,
  auditOf,
  type Breakers,
  breakersOf,
  countSends,
  keepTrickle,
  type Outcome,
  type Target,
  trySend,
} from './helpers/breakers.js';

const HOUR = 60 * 60;

let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
  other = await app.replica();
});

/** A prefix whose breaker has come to open. */
async function anAttackedPrefix(on = app): Promise<Target & { scope: string }> {
  const target = aTarget();
  const scope = `prefix:${target.prefix}`;
  await countSends(on, scope, { minutesAgo: 15, unverified: 11 });
  return { ...target, scope };
}

async function anOpenPrefix(on = app): Promise<Target & { scope: string }> {
  const target = await anAttackedPrefix(on);
  expect(await trySend(on, target)).toEqual({ trickleOf: target.scope });
  return target;
}

/** On two replicas in turn. */
const onBoth = <T>(count: number, work: (on: TestApp) => Promise<T>): Promise<T[]> =>
  atOnce(count, (index) => work(index % 2 ? app : other));

const refused = (outcomes: readonly Outcome[]) =>
  outcomes.filter((outcome) => typeof outcome === 'object' && 'retryAfter' in outcome);

async function rowOf(scope: string, on = app): Promise<Record<string, unknown> | undefined> {
  const [row] = await on.sql('SELECT * FROM sms_breakers WHERE scope = $1', [scope]);
  return row;
}

async function openSecondsOf(scope: string): Promise<number> {
  const { opened_at: opened, open_until: until } = (await rowOf(scope)) as Record<string, Date>;
  return (until!.getTime() - opened!.getTime()) / 1000;
}

describe('a breaker', () => {
  it('leaves alone what nothing is wrong with', async () => {
    const target = aTarget();
    await countSends(app, `prefix:${target.prefix}`, { minutesAgo: 15, unverified: 10 });
    expect(await trySend(app, target)).toBe('passed');
    expect(await rowOf(`prefix:${target.prefix}`)).toBeUndefined();
  });

  it('opens for a prefix, and then sends one text each five minutes', async () => {
    const target = await anOpenPrefix();
    expect(await trySend(app, target)).toEqual({ retryAfter: 300 });
    app.clock.advance(100);
    expect(await trySend(app, target)).toEqual({ retryAfter: 200 });
    app.clock.advance(200);
    expect(await trySend(app, target)).toEqual({ trickleOf: target.scope });
  });

  it('says who opened and closed it, and why, where administrators look', async () => {
    const { scope } = await anOpenPrefix();
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
    const target = await anOpenPrefix();
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
    const target = await anAttackedPrefix();
    app.clock.advance(2);
    await onBoth(40, async (on) => (await breakersOf(on)).look(target, app.clock.now()));
    expect(await auditOf(app, target.scope)).toHaveLength(1);
    expect(await rowOf(target.scope)).toMatchObject({ trips: 1 });
  });

  it('lets one of sixty at once through, on two replicas', async () => {
    const target = await anAttackedPrefix();
    const outcomes = await onBoth(60, (on) => trySend(on, target));
    expect(outcomes.filter((outcome) => typeof outcome === 'object' && 'trickleOf' in outcome)).toHaveLength(
      1,
    );
    expect(refused(outcomes)).toHaveLength(59);
    app.clock.advance(301);
    expect(refused(await onBoth(60, (on) => trySend(on, target)))).toHaveLength(59);
  });

  it('gives its turn back where the send was not reserved after all', async () => {
    const target = await anAttackedPrefix();
    const breakers = await breakersOf(app);
    const now = app.clock.now();
    const look = await breakers.look(target, now);
    const failed = app.started.transaction(async (transaction) => {
      await breakers.admit(transaction, look, now);
      throw new Error('something else');
    });
    await expect(failed).rejects.toThrow('something else');
    expect(await rowOf(target.scope)).toMatchObject({ trickled_at: null });
    // This process remembers the turn for a second.
    app.clock.advance(1);
    expect(await trySend(app, target)).toEqual({ trickleOf: target.scope });
  });

  it('is open on a server that starts, and its turn taken', async () => {
    const target = await anOpenPrefix();
    const started = await app.replica();
    expect(refused([await trySend(started, target)])).toHaveLength(1);
    await started.started.close();
  });

  it('counts what it refused', async () => {
    const target = await anOpenPrefix();
    await onBoth(10, (on) => trySend(on, target));
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
    const { trickled_at: inner } = (await rowOf(scope)) as { trickled_at: Date };
    expect(app.clock.now().getTime() - inner.getTime()).toBeGreaterThan(290_000);
  });

  it('never has sends that go through several wait for each other', async () => {
    const targets = [];
    for (let index = 0; index < 5; index += 1) targets.push({ ...(await anAttackedPrefix()), country: 'MZ' });
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

describe('an open breaker', () => {
  it('closes when three of its newest five codes are entered, and not before', async () => {
    const target = await anOpenPrefix();
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
    const target = await anOpenPrefix();
    expect(await openSecondsOf(target.scope)).toBe(HOUR);
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
    const target = await anAttackedPrefix();
    const lengths = [];
    for (let trip = 0; trip < 6; trip += 1) {
      await trySend(app, target);
      lengths.push(await openSecondsOf(target.scope));
      app.clock.advance(lengths.at(-1)! + 1);
      expect(await trySend(app, target)).toBe('passed');
      app.clock.advance(20 * 60);
      await countSends(app, target.scope, { minutesAgo: 15, unverified: 11 });
    }
    expect(lengths).toEqual([1, 2, 4, 8, 12, 12].map((hours) => hours * HOUR));
    app.clock.advance(24 * HOUR);
    await countSends(app, target.scope, { minutesAgo: 15, unverified: 11 });
    await trySend(app, target);
    expect(await openSecondsOf(target.scope)).toBe(HOUR);
  });

  it('closes once on two replicas', async () => {
    const target = await anOpenPrefix();
    app.clock.advance(HOUR + 1);
    expect(await onBoth(40, (on) => trySend(on, target))).toEqual(Array(40).fill('passed'));
    expect(await auditOf(app, target.scope)).toHaveLength(2);
  });

  it('is not opened again by a replica that counted before it closed', async () => {
    const rows = await harness.load<BreakerRows>('otp/breakers/breaker-rows.js');
    const target = await anOpenPrefix();
    app.clock.advance(HOUR + 1);
    await trySend(app, target);
    const scope = { name: target.scope, kind: 'prefix', key: target.prefix };
    const seen = { scope, openedAt: null, countsFrom: null };
    const trip = { rule: 'hour', used: 11, limit: 10, verifiedRatio: 0, openMs: 1000 };
    const open = (of: object) =>
      app.started.transaction((transaction) => rows.openBreaker(transaction, of, trip, app.clock.now()));
    expect(await open(seen)).toBeUndefined();
    expect(await open({ ...seen, countsFrom: (await rowOf(target.scope))?.['counts_from'] })).toBeDefined();
  });
});

interface BreakerRows {
  openBreaker(transaction: unknown, seen: object, trip: object, now: Date): Promise<object | undefined>;
}

describe('a burst', () => {
  it('is seen before it is ten minutes old, and over sooner', async () => {
    const target = aTarget();
    const scope = `prefix:${target.prefix}`;
    await countSends(app, scope, { minutesAgo: 4, unverified: 10 });
    expect(await trySend(app, target)).toEqual({ trickleOf: scope });
    expect(await openSecondsOf(scope)).toBe(600);
  });

  it('of people who sign in opens nothing', async () => {
    const target = aTarget({ country: 'AO' });
    for (const scope of [`prefix:${target.prefix}`, 'country:AO']) {
      await countSends(app, scope, { minutesAgo: 4, unverified: 450, verified: 500 });
      await countSends(app, scope, { minutesAgo: 20, unverified: 450, verified: 500 });
    }
    expect(await trySend(app, target)).toBe('passed');
  });
});

describe('a country', () => {
  it('may have more unverified sends where it is used to more', async () => {
    for (const country of ['ES', 'FR']) {
      await countSends(app, `country:${country}`, { minutesAgo: 15, unverified: 60 });
    }
    await countSends(app, 'country:FR', { minutesAgo: 3 * 24 * 60, unverified: 100, verified: 1900 });
    expect(await trySend(app, aTarget({ country: 'ES' }))).toEqual({ trickleOf: 'country:ES' });
    expect(await trySend(app, aTarget({ country: 'FR' }))).toBe('passed');
  });
});

describe('the provider', () => {
  const openByProvider = async (on: TestApp, { prefix }: Target) =>
    (await breakersOf(on)).openByProvider(prefix, app.clock.now());

  it('opens a prefix for twelve hours, once, however often it says so', async () => {
    const target = aTarget();
    const scope = `prefix:${target.prefix}`;
    await onBoth(20, (on) => openByProvider(on, target));
    expect(await openSecondsOf(scope)).toBe(12 * HOUR);
    expect(await auditOf(app, scope)).toMatchObject([{ payload: { reason: { rule: 'provider' } } }]);
    expect(await trySend(app, target)).toEqual({ trickleOf: scope });
  });

  it('keeps one that is open already open for longer', async () => {
    const target = await anOpenPrefix();
    await openByProvider(app, target);
    app.clock.advance(11 * HOUR);
    expect(await trySend(app, target)).toEqual({ trickleOf: target.scope });
  });
});

describe('the service', () => {
  let alone: TestApp;
  let beside: TestApp;
  beforeEach(async () => {
    alone = await TestApp.start({ database: await app.freshDatabase(), env: { SMS_DAILY_CAP: '200' } });
    beside = await alone.replica({ env: { SMS_DAILY_CAP: '200' } });
  });
  afterEach(() => Promise.all([alone, beside].map(({ started }) => started.close())));

  const sendBefore = (minutesAgo: number, unverified: number) =>
    countSends(alone, 'service', { minutesAgo, unverified });

  it('stops texts to new numbers past its cap, for as long as that is passed', async () => {
    await sendBefore(12 * 60, 201);
    expect(await trySend(alone, aTarget())).toEqual({ trickleOf: 'service' });
    for (let count = 0; count < 5; count += 1) await keepTrickle(alone, 'service', true);
    alone.clock.advance(2);
    // Codes that are entered do not make the bill smaller, and nor does time, until it is of yesterday.
    expect(refused([await trySend(alone, aTarget())])).toHaveLength(1);
    alone.clock.advance(HOUR);
    expect(await trySend(alone, aTarget())).toEqual({ trickleOf: 'service' });
    expect(await trySend(alone, aTarget({ isKnown: true }))).toBe('passed');
    alone.clock.advance(12 * HOUR);
    expect(await trySend(alone, aTarget())).toBe('passed');
    expect(await auditOf(alone, 'service')).toMatchObject([
      { action: 'sms_breaker_opened', payload: { reason: { rule: 'daily_cap', used: 201, limit: 200 } } },
      { action: 'sms_breaker_opened' },
      { action: 'sms_breaker_closed' },
    ]);
  });

  it('says once an hour that its limit is near, on two replicas', async () => {
    await sendBefore(12 * 60, 140);
    const told = () =>
      [alone, beside]
        .flatMap(({ started }) => started.log.lines)
        .filter((line) => line.includes('near their limit'));
    const look = () =>
      atOnce(20, async (index) => {
        const breakers: Breakers = await breakersOf(index % 2 ? alone : beside);
        await breakers.look(aTarget(), alone.clock.now());
      });
    await look();
    alone.clock.advance(60);
    await look();
    expect(told()).toHaveLength(1);
    alone.clock.advance(HOUR);
    await look();
    expect(told()).toHaveLength(2);
  });
});

describe('SMS_BREAKER', () => {
  it('record decides and counts, and lets all pass', async () => {
    const recording = await app.replica({ env: { SMS_BREAKER: 'record' } });
    const target = await anAttackedPrefix();
    const outcomes = await atOnce(20, () => trySend(recording, target));
    expect(outcomes.filter((outcome) => outcome === 'passed')).toHaveLength(19);
    expect(await auditOf(app, target.scope)).toHaveLength(1);
    const [row] = await app.sql(
      `SELECT sum(refused)::integer AS refused FROM send_counters WHERE scope = 'prefix' AND key = $1 AND span = 60`,
      [target.prefix],
    );
    expect(row).toEqual({ refused: 19 });
    const breakers = await breakersOf(recording);
    const now = app.clock.now();
    const look = await breakers.look(target, now);
    const admitted = await app.started.transaction((transaction) => breakers.admit(transaction, look, now));
    expect(admitted).toEqual({
      decision: {
        scope: target.scope,
        outcome: 'would_refuse',
        rule: 'hour',
        used: 11,
        limit: 10,
        verified_ratio: 0,
      },
      trickleOf: null,
    });
    await recording.started.close();
  });

  it('off does not look, not even at what is open', async () => {
    const careless = await app.replica({ env: { SMS_BREAKER: 'off' } });
    const target = await anOpenPrefix();
    const statements = await harness.statements(async () => {
      await (await breakersOf(careless)).look(target, app.clock.now());
    });
    expect(statements).toEqual([]);
    expect(await trySend(careless, target)).toBe('passed');
    await careless.started.close();
  });
});

describe('the job breaker-purge', () => {
  it('closes what nobody sends to, and forgets what has long been closed', async () => {
    const { scope } = await anOpenPrefix();
    app.clock.advance(HOUR + 1);
    await app.runJob('breaker-purge');
    expect(await rowOf(scope)).toMatchObject({ opened_at: null, trips: 1 });
    expect(await auditOf(app, scope)).toMatchObject([{}, { action: 'sms_breaker_closed' }]);
    app.clock.advance(47 * HOUR);
    await app.runJob('breaker-purge');
    expect(await rowOf(scope)).toBeDefined();
    app.clock.advance(2 * HOUR);
    await app.runJob('breaker-purge');
    expect(await rowOf(scope)).toBeUndefined();
  });
});
