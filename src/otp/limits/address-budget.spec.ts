import fc from 'fast-check';

import {
  type AddressCounts,
  guessRefusal,
  mayHaveQueue,
  pendingRoom,
  pressuresOn,
  sendRefusal,
  type WindowCounts,
} from './address-budget.js';

const FLOORS = {
  unverifiedSends: { perHour: 10, perDay: 30 },
  pendingSends: 50,
  failures: { perHour: 15, perDay: 30 },
  countriesPerDay: 3,
};

const quiet: WindowCounts = { sends: 0, unverified: 0, failures: 0, signIns: 0 };

const counts = (more: {
  hour?: Partial<WindowCounts>;
  day?: Partial<WindowCounts>;
  pending?: number;
  countries?: string[];
}): AddressCounts => ({
  hour: { ...quiet, ...more.hour },
  day: { ...quiet, ...more.day },
  pending: more.pending ?? 0,
  countries: more.countries ?? [],
});

const refusalOf = (
  more: Parameters<typeof counts>[0] & { ahead?: number },
  scope: 'address' | 'network' = 'address',
) => {
  const refusal = sendRefusal(scope, counts(more), FLOORS, { country: 'BR', ahead: more.ahead ?? 0 });
  return refusal && [refusal.rule, refusal.limit, refusal.retryAfter];
};

describe('codes under way', () => {
  it.each([
    ['address', 49, 0, undefined],
    ['address', 50, 0, ['pending_sends', 50, 2]],
    ['address', 99, 50, undefined],
    ['address', 100, 50, ['pending_sends', 100, 2]],
    ['network', 249, 0, undefined],
    ['network', 250, 0, ['pending_sends', 250, 2]],
  ] as const)('of an %s: %d, where %d numbers signed in', (scope, pending, signIns, expected) => {
    expect(refusalOf({ pending, day: { signIns } }, scope)).toEqual(expected);
  });

  it.each([
    [45, 4, undefined],
    [45, 5, ['pending_sends', 50, 2]],
    [45, 20, ['pending_sends', 50, 3]],
    [50, 100, ['pending_sends', 50, 7]],
    [50, 1000, ['pending_sends', 50, 10]],
  ] as const)('are %d, and %d wait who go first', (pending, ahead, expected) => {
    expect(refusalOf({ pending, ahead })).toEqual(expected);
  });

  it('leave room up to the limit, and may have a queue from half of it on', () => {
    const at = (scope: 'address' | 'network', more: Parameters<typeof counts>[0]) => [
      pendingRoom(scope, counts(more), FLOORS),
      mayHaveQueue(scope, counts(more), FLOORS),
    ];
    expect(at('address', { pending: 24 })).toEqual([26, false]);
    expect(at('address', { pending: 25 })).toEqual([25, true]);
    expect(at('address', { pending: 25, day: { signIns: 40 } })).toEqual([55, false]);
    expect(at('network', { pending: 124 })).toEqual([126, false]);
    expect(at('network', { pending: 125 })).toEqual([125, true]);
  });
});

describe('codes that were not entered', () => {
  const limits = (scope: 'address' | 'network', more: Parameters<typeof counts>[0]) =>
    pressuresOn(scope, counts(more), FLOORS)
      .filter((pressure) => pressure.of === 'unverified_sends')
      .map(({ limit }) => limit);

  it('lengthen the next from ten an hour and thirty a day, or 30 %', () => {
    expect(limits('address', {})).toEqual([10, 30]);
    expect(limits('network', {})).toEqual([50, 150]);
    expect(limits('address', { hour: { sends: 100 }, day: { sends: 200 } })).toEqual([30, 60]);
  });

  it.each([
    ['hour', 30, 0, undefined],
    ['hour', 31, 0, ['unverified_sends', 30, 300]],
    ['hour', 50, 100, undefined],
    ['hour', 51, 100, ['unverified_sends', 50, 300]],
    ['day', 90, 0, undefined],
    ['day', 91, 0, ['unverified_sends', 90, 3600]],
    ['day', 151, 300, ['unverified_sends', 150, 3600]],
  ] as const)('of a(n) %s: %d of %d', (window, unverified, sends, expected) => {
    expect(refusalOf({ [window]: { unverified, sends } })).toEqual(expected);
  });

  it('may be five times as many for a network', () => {
    expect(refusalOf({ hour: { unverified: 150 } }, 'network')).toBeUndefined();
    expect(refusalOf({ hour: { unverified: 151 } }, 'network')).toEqual(['unverified_sends', 150, 300]);
  });
});

describe('failed guesses', () => {
  const limits = (scope: 'address' | 'network', more: Parameters<typeof counts>[0]) =>
    pressuresOn(scope, counts(more), FLOORS)
      .filter((pressure) => pressure.of === 'failures')
      .map(({ limit }) => limit);

  it('lengthen codes from fifteen an hour and thirty a day, or 20 % of the numbers that signed in', () => {
    expect(limits('address', {})).toEqual([15, 30]);
    expect(limits('network', {})).toEqual([75, 150]);
    expect(limits('address', { hour: { signIns: 100 }, day: { signIns: 1000 } })).toEqual([20, 200]);
  });

  it.each([
    ['hour', 150, undefined],
    ['hour', 151, 300],
    ['day', 300, undefined],
    ['day', 301, 3600],
  ] as const)('of a(n) %s: %d', (window, failures, retryAfter) => {
    const given = counts({ [window]: { failures } });
    expect(guessRefusal('address', given, FLOORS)?.retryAfter).toBe(retryAfter);
    expect(sendRefusal('address', given, FLOORS, { country: 'BR', ahead: 0 })?.retryAfter).toBe(retryAfter);
    expect(guessRefusal('network', given, FLOORS)).toBeUndefined();
  });
});

it('a fourth country is refused, and those that were asked for before are not', () => {
  const countries = ['BR', 'PT', 'US'];
  const to = (country: string) =>
    sendRefusal('address', counts({ countries }), FLOORS, { country, ahead: 0 })?.rule;
  expect([to('BR'), to('PT'), to('US'), to('LV')]).toEqual([undefined, undefined, undefined, 'countries']);
  expect(sendRefusal('network', counts({ countries }), FLOORS, { country: 'LV', ahead: 0 })).toBeUndefined();
});

it('of several refusals the longest wait is told', () => {
  expect(refusalOf({ pending: 50, hour: { unverified: 31 }, day: { failures: 301 } })).toEqual([
    'failures',
    300,
    3600,
  ]);
});

const someCounts = fc.record({
  sends: fc.nat(500),
  unverified: fc.nat(500),
  failures: fc.nat(500),
  signIns: fc.nat(500),
});

it('whoever has done more wrong is never better off', () => {
  fc.assert(
    fc.property(someCounts, someCounts, fc.nat(200), (hour, day, pending) => {
      const worse = {
        hour: { ...hour, unverified: hour.unverified + 1, failures: hour.failures + 1 },
        day: { ...day, unverified: day.unverified + 1, failures: day.failures + 1 },
        pending: pending + 1,
      };
      if (refusalOf({ hour, day, pending })) expect(refusalOf(worse)).toBeDefined();
      // A network is never stopped by what would not stop each of its addresses.
      if (refusalOf(worse, 'network')) expect(refusalOf(worse)).toBeDefined();
    }),
  );
});
