import {
  type Counts,
  type History,
  serviceAlarm,
  type Tally,
  tripOf,
  verifiedRatio,
} from './breaker-rules.js';
import type { ScopeKind } from './breaker-scope.js';

const NONE: Tally = { sends: 0, verified: 0 };
const NO_HISTORY: History = { bestDay: 0, medianHour: 0 };
const CAP = 1000;

/** `unverified` sends beside `verified` ones. */
const tally = (unverified: number, verified = 0): Tally => ({ sends: unverified + verified, verified });

function ruleOf(
  kind: ScopeKind,
  counts: Partial<Counts>,
  history: Partial<History> = {},
): string | undefined {
  const all = { burst: NONE, telling: NONE, hour: NONE, day: NONE, wholeDay: NONE, ...counts };
  return tripOf(kind, all, { ...NO_HISTORY, ...history }, CAP)?.rule;
}

describe('a burst', () => {
  it.each<[ScopeKind, number]>([
    ['prefix', 10],
    ['country', 50],
    ['service', 200],
  ])('opens a %s from %i sends on', (kind, sends) => {
    expect(ruleOf(kind, { burst: tally(sends) })).toBe('burst');
    expect(ruleOf(kind, { burst: tally(sends - 1) })).toBeUndefined();
  });

  it('opens under 25 % of them verified, and not at it', () => {
    expect(ruleOf('prefix', { burst: tally(31, 9) })).toBe('burst');
    expect(ruleOf('prefix', { burst: tally(30, 10) })).toBeUndefined();
  });

  it('opens for ten minutes, anything else for an hour', () => {
    const counts = { burst: tally(10), telling: tally(10), hour: NONE, day: NONE, wholeDay: NONE };
    expect(tripOf('prefix', counts, NO_HISTORY, CAP)).toEqual({
      rule: 'burst',
      used: 10,
      limit: 7,
      verifiedRatio: 0,
      openMs: 600_000,
    });
    expect(tripOf('prefix', { ...counts, hour: tally(11) }, NO_HISTORY, CAP)).toMatchObject({
      rule: 'hour',
      openMs: 3_600_000,
    });
  });
});

describe('a prefix', () => {
  it('opens past ten unverified sends of an hour', () => {
    expect(ruleOf('prefix', { hour: tally(11) })).toBe('hour');
    expect(ruleOf('prefix', { hour: tally(10) })).toBeUndefined();
  });

  it('opens past half of the sends of an hour', () => {
    expect(ruleOf('prefix', { hour: tally(51, 49) })).toBe('hour');
    expect(ruleOf('prefix', { hour: tally(50, 50) })).toBeUndefined();
  });

  it('opens where less than 15 % of a day are verified, from 20 sends on', () => {
    expect(ruleOf('prefix', { day: tally(18, 2) })).toBe('conversion');
    expect(ruleOf('prefix', { day: tally(17, 3) })).toBeUndefined();
    expect(ruleOf('prefix', { day: tally(19) })).toBeUndefined();
  });

  it.each([20, 40, 60, 100, 140, 180, 220, 1000, 10_000])('stays closed at 15 %% of %i exactly', (sends) => {
    expect(ruleOf('prefix', { day: { sends, verified: sends * 0.15 } })).toBeUndefined();
    expect(ruleOf('prefix', { day: { sends, verified: sends * 0.15 - 1 } })).toBe('conversion');
  });
});

describe('a country', () => {
  it('opens past 20 unverified sends of a day, and 10 of an hour', () => {
    expect(ruleOf('country', { day: tally(21) })).toBe('day');
    expect(ruleOf('country', { day: tally(20) })).toBeUndefined();
    expect(ruleOf('country', { hour: tally(11) })).toBe('hour');
    expect(ruleOf('country', { hour: tally(10) })).toBeUndefined();
  });

  it('may have 30 % of what its best day, or this one, verified', () => {
    expect(ruleOf('country', { day: tally(300) }, { bestDay: 1000 })).toBeUndefined();
    expect(ruleOf('country', { day: tally(301) }, { bestDay: 1000 })).toBe('day');
    const many = { day: tally(3001, 10_000), telling: tally(10) };
    expect(ruleOf('country', many, { bestDay: 10 })).toBe('day');
    expect(ruleOf('country', { ...many, day: tally(3000, 10_000) }, { bestDay: 10 })).toBeUndefined();
  });

  it('may have 20 % of a sixth of its best day in an hour, or of what the hour verified', () => {
    expect(ruleOf('country', { hour: tally(100) }, { bestDay: 3000 })).toBeUndefined();
    expect(ruleOf('country', { hour: tally(101) }, { bestDay: 3000 })).toBe('hour');
    const hour = { hour: tally(21, 100), telling: tally(100) };
    expect(ruleOf('country', hour)).toBe('hour');
    expect(ruleOf('country', { ...hour, hour: tally(20, 100) })).toBeUndefined();
  });
});

describe('the service', () => {
  it('opens past its cap, and stays open for it whatever closed in between', () => {
    expect(ruleOf('service', { wholeDay: tally(CAP + 1) })).toBe('daily_cap');
    expect(ruleOf('service', { wholeDay: tally(CAP) })).toBeUndefined();
    expect(ruleOf('service', { day: tally(CAP + 1) })).toBeUndefined();
  });

  it('opens past a hundred unverified sends of an hour, or five times the usual', () => {
    expect(ruleOf('service', { hour: tally(101) })).toBe('hour');
    expect(ruleOf('service', { hour: tally(100) })).toBeUndefined();
    expect(ruleOf('service', { hour: tally(500) }, { medianHour: 100 })).toBeUndefined();
    expect(ruleOf('service', { hour: tally(501) }, { medianHour: 100 })).toBe('hour');
  });

  it('alarms at 70 % of either', () => {
    const alarm = (counts: Partial<Counts>) =>
      serviceAlarm(
        { burst: NONE, telling: NONE, hour: NONE, day: NONE, wholeDay: NONE, ...counts },
        NO_HISTORY,
        CAP,
      ).isAlarm;
    expect([alarm({}), alarm({ wholeDay: tally(699) }), alarm({ hour: tally(69) })]).toEqual([
      false,
      false,
      false,
    ]);
    expect([alarm({ wholeDay: tally(700) }), alarm({ hour: tally(70) })]).toEqual([true, true]);
  });
});

describe('where half of the codes are entered', () => {
  it.each<[ScopeKind, Partial<Counts>]>([
    ['prefix', { hour: tally(500, 400) }],
    ['country', { hour: tally(500, 400), day: tally(500, 400) }],
    ['service', { hour: tally(500, 400), wholeDay: tally(2000, 1000) }],
  ])('a %s stays closed', (kind, counts) => {
    expect(ruleOf(kind, { ...counts, telling: tally(50, 50) })).toBeUndefined();
    expect(ruleOf(kind, { ...counts, telling: tally(51, 49) })).toBeDefined();
  });

  it('an hour of fewer than ten sends says nothing, and the day is asked', () => {
    const quiet = tally(9);
    expect(ruleOf('country', { telling: quiet, day: tally(30, 30) })).toBeUndefined();
    expect(ruleOf('country', { telling: quiet, day: tally(31, 30) })).toBe('day');
    expect(ruleOf('country', { telling: tally(10), day: tally(30, 30) })).toBe('day');
    expect(ruleOf('service', { telling: quiet, wholeDay: tally(2000, 2000) })).toBeUndefined();
  });
});

describe('verifiedRatio', () => {
  it('is a part to the third digit, and nothing of nothing', () => {
    expect(verifiedRatio(tally(2, 1))).toBe(0.333);
    expect(verifiedRatio(NONE)).toBeNull();
  });
});
