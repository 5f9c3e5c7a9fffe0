import fc from 'fast-check';

import { DAY_MS, FAILURE_WINDOW_MS } from './abuse-policy.js';
import { decideLength, lengthFor, type LengthQuestion } from './code-length.js';

const none = { failed: 0, open: 0 };

const question = (more: Partial<LengthQuestion> = {}): LengthQuestion => ({
  configured: 4,
  asked: 0,
  attempts: 3,
  number: none,
  ownDevice: undefined,
  address: [],
  network: [],
  service: { used: 0, limit: 10 },
  ...more,
});

describe('the length of a code by the guesses at its number', () => {
  it.each([
    [0, 4],
    [3, 4],
    [4, 6],
    [20, 6],
    [21, 8],
    [1000, 8],
  ])('after %d is %d', (guesses, digits) => {
    expect(lengthFor({ failed: guesses, open: 0 }, 3)).toBe(digits);
    expect(lengthFor({ failed: 0, open: guesses }, 3)).toBe(digits);
  });

  it.each([
    [1, 5, 22],
    [5, 1, 18],
    [10, undefined, 13],
  ])('where a code takes %d guesses, leaves the most that can be made as they are', (attempts, four, six) => {
    if (four !== undefined) expect(lengthFor({ failed: four, open: 0 }, attempts)).toBe(4);
    expect(lengthFor({ failed: (four ?? -1) + 1, open: 0 }, attempts)).toBe(6);
    expect(lengthFor({ failed: six, open: 0 }, attempts)).toBe(6);
    expect(lengthFor({ failed: six + 1, open: 0 }, attempts)).toBe(8);
  });
});

describe('decideLength', () => {
  it('takes the longest that anything asks for', () => {
    expect(decideLength(question())).toEqual({ length: 4, why: 'configured' });
    expect(decideLength(question({ configured: 6, number: { failed: 5, open: 0 } }))).toEqual({
      length: 6,
      why: 'configured',
    });
    expect(decideLength(question({ asked: 8, number: { failed: 5, open: 0 } }))).toEqual({
      length: 8,
      why: 'asked',
    });
    expect(decideLength(question({ number: { failed: 3, open: 1 } }))).toEqual({
      length: 6,
      why: 'number',
      used: 4,
    });
  });

  it('counts failures of an address up to eight digits, and unused codes up to six', () => {
    const under = (of: 'failures' | 'unverified_sends', used: number) =>
      decideLength(question({ address: [{ of, used, limit: 15 }] })).length;
    expect([15, 16, 45, 46].map((used) => under('failures', used))).toEqual([4, 6, 6, 8]);
    expect([15, 16, 46, 460].map((used) => under('unverified_sends', used))).toEqual([4, 6, 6, 6]);
    const network = [{ of: 'failures' as const, used: 76, limit: 75 }];
    expect(decideLength(question({ network }))).toEqual({ length: 6, why: 'network', ...network[0] });
  });

  it('has six digits where guesses fail everywhere', () => {
    const over = (used: number) => decideLength(question({ service: { used, limit: 10 } }));
    expect(over(10).length).toBe(4);
    expect(over(11)).toEqual({ length: 6, why: 'service', used: 11, limit: 10 });
  });

  it('leaves a device of the number alone with its own guesses', () => {
    const attacked: Partial<LengthQuestion> = {
      number: { failed: 500, open: 9 },
      address: [{ of: 'failures', used: 1000, limit: 15 }],
      network: [{ of: 'failures', used: 1000, limit: 15 }],
      service: { used: 1000, limit: 10 },
    };
    const of = (device: number, all: number) =>
      decideLength(
        question({
          ...attacked,
          ownDevice: { device: { failed: device, open: 0 }, all: { failed: all, open: 0 } },
        }),
      ).length;
    expect([of(0, 0), of(3, 3), of(4, 4), of(20, 20), of(21, 21)]).toEqual([4, 4, 6, 6, 8]);
    // Tokens of many devices: twice as many guesses for all of them.
    expect([of(0, 9), of(0, 10), of(0, 43), of(0, 44)]).toEqual([4, 6, 6, 8]);
  });
});

interface Code {
  digits: number;
  left: number;
  expiresAt: number;
}

// What an attacker does: waits, asks for a code of one of three bindings, or guesses wrong at it.
const steps = fc.array(
  fc.record({
    act: fc.constantFrom('ask', 'guess', 'guess', 'guess', 'wait'),
    binding: fc.constantFrom('a', 'b', 'c'),
    afterMs: fc.oneof(fc.integer({ min: 1, max: 600_000 }), fc.integer({ min: 1, max: 8 * DAY_MS })),
  }),
  { maxLength: 300 },
);

it.each([
  [4, 6],
  [6, 23],
])(
  'whatever is asked and guessed, at %d digits there are no more than %d guesses in 30 days',
  (digits, most) => {
    fc.assert(
      fc.property(steps, (all) => {
        const codes = new Map<string, Code>();
        const failures: { at: number; digits: number }[] = [];
        let now = 0;
        for (const { act, binding, afterMs } of all) {
          if (act === 'wait') now += afterMs;
          if (act === 'ask') {
            const failed = failures.filter(({ at }) => at > now - FAILURE_WINDOW_MS).length;
            const pending = [...codes.values()].filter(({ expiresAt }) => expiresAt > now);
            const open = pending.reduce((sum, { left }) => sum + left, 0);
            codes.set(binding, { digits: lengthFor({ failed, open }, 3), left: 3, expiresAt: now + 600_000 });
          }
          const code = codes.get(binding);
          if (act !== 'guess' || !code || code.left === 0 || code.expiresAt <= now) continue;
          code.left -= 1;
          failures.push({ at: now, digits: code.digits });
          const within = failures.filter(
            (each) => each.digits === digits && each.at > now - FAILURE_WINDOW_MS,
          );
          expect(within.length).toBeLessThanOrEqual(most);
        }
      }),
    );
  },
);
