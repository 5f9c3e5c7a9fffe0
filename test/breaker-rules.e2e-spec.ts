import { atOnce, harness, TestApp } from './helpers/app.js';
import {
  anAttackedPrefix,
  anOpenPrefix,
  aStoppedClock,
  aTarget,
  auditOf,
  type Breakers,
  breakersOf,
  countSends,
  keepTrickle,
  openSecondsOf,
  refused,
  trySend,
} from './helpers/breakers.js';

const HOUR = 60 * 60;

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock() });
});

describe('a burst', () => {
  it('is seen before it is ten minutes old, and over sooner', async () => {
    const target = aTarget();
    const scope = `prefix:${target.prefix}`;
    await countSends(app, scope, { minutesAgo: 4, unverified: 10 });
    expect(await trySend(app, target)).toEqual({ trickleOf: scope });
    expect(await openSecondsOf(app, scope)).toBe(600);
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
    const target = await anAttackedPrefix(app);
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
    const target = await anOpenPrefix(app);
    const statements = await harness.statements(async () => {
      await (await breakersOf(careless)).look(target, app.clock.now());
    });
    expect(statements).toEqual([]);
    expect(await trySend(careless, target)).toBe('passed');
    await careless.started.close();
  });
});
