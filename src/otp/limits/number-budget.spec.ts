import fc from 'fast-check';

import { DAY_MS, HOUR_MS } from './abuse-policy.js';
import { type EarlierSend, judgeSend, type NumberVerdict, type SendQuestion } from './number-budget.js';

const SECOND = 1000;
const NOW = Date.UTC(2026, 2, 1);

const send = (agoMs: number, more: Partial<EarlierSend> = {}): EarlierSend => ({
  at: NOW - agoMs,
  deviceKey: null,
  addressKey: 'home',
  isVerified: false,
  ...more,
});

const question = (more: Partial<SendQuestion> = {}): SendQuestion => ({
  now: NOW,
  addressKey: 'home',
  deviceKey: null,
  signedInAt: 0,
  resendSeconds: 30,
  budget: { perHour: 5, perDay: 8, perAddressPerDay: 4 },
  ...more,
});

const refusal = (verdict: NumberVerdict) =>
  verdict.refusal && [verdict.refusal.code, verdict.refusal.retryAfter];

/** Sends hours ago, the oldest first, from addresses that nobody else has. */
const ofOthers = (...hoursAgo: number[]) =>
  hoursAgo.map((hours) => send(hours * HOUR_MS, { addressKey: `other ${hours}` }));

describe('the wait', () => {
  it.each([
    [0, 30],
    [1, 60],
    [2, 120],
    [3, 300],
    [4, 600],
  ])('after %d codes within the hour, the one that follows the next is due in %d s', (earlier, resendIn) => {
    const sends = Array.from({ length: earlier }, (_, index) =>
      send(50 * 60 * SECOND - index * 11 * 60 * SECOND, { addressKey: `${index}` }),
    );
    expect(judgeSend(sends, question())).toEqual({ resendIn });
  });

  it('ends at its second', () => {
    expect(refusal(judgeSend([send(30 * SECOND - 1)], question()))).toEqual(['otp_cooldown', 1]);
    expect(judgeSend([send(30 * SECOND)], question())).toEqual({ resendIn: 60 });
  });

  it('begins anew after a quiet hour', () => {
    expect(judgeSend([send(HOUR_MS - 1)], question())).toEqual({ resendIn: 60 });
    expect(judgeSend([send(HOUR_MS)], question())).toEqual({ resendIn: 30 });
  });

  it('begins anew with a sign-in, which leaves the first wait after the last code', () => {
    const sends = [send(200 * SECOND), send(160 * SECOND), send(20 * SECOND)];
    expect(refusal(judgeSend(sends, question()))).toEqual(['otp_cooldown', 100]);
    const signedIn = question({ signedInAt: NOW - 10 * SECOND });
    expect(refusal(judgeSend(sends, signedIn))).toEqual(['otp_cooldown', 10]);
    expect(judgeSend(sends, { ...signedIn, now: NOW + 10 * SECOND })).toEqual({ resendIn: 30 });
  });

  it('lasts as long as was told, though an earlier code grows old meanwhile', () => {
    const sends = [send(HOUR_MS + 20 * SECOND), send(40 * SECOND)];
    expect(refusal(judgeSend(sends, question()))).toEqual(['otp_cooldown', 20]);
  });
});

describe('the budget', () => {
  it('is five an hour', () => {
    const sends = ofOthers(0.99, 0.9, 0.8, 0.7, 0.6);
    expect(refusal(judgeSend(sends, question()))).toEqual(['otp_limit_reached', 36]);
    expect(judgeSend(sends.slice(1), question()).refusal).toBeUndefined();
    expect(judgeSend(sends, question({ now: NOW + 36 * SECOND })).refusal).toBeUndefined();
  });

  it('is eight in 24 hours, signed in or not', () => {
    const sends = ofOthers(23, 20, 17, 14, 11, 8, 5).map((each) => ({ ...each, isVerified: true }));
    expect(judgeSend(sends, question()).refusal).toBeUndefined();
    const all = [...sends, send(2 * HOUR_MS, { isVerified: true })];
    expect(refusal(judgeSend(all, question()))).toEqual(['otp_limit_reached', 3600]);
  });

  it('is four for one address; a code that was entered is given back', () => {
    const sends = [20, 15, 10, 5].map((hours) => send(hours * HOUR_MS));
    expect(refusal(judgeSend(sends, question()))).toEqual(['otp_limit_reached', 4 * 3600]);
    expect(judgeSend(sends, question({ addressKey: 'other' })).refusal).toBeUndefined();
    const entered = sends.map((each, index) => ({ ...each, isVerified: index === 2 }));
    expect(judgeSend(entered, question()).refusal).toBeUndefined();
  });

  it('keeps the last two for addresses that have not asked, or only for codes that were entered', () => {
    const sends = [send(23 * HOUR_MS), ...ofOthers(20, 17, 14, 11, 8)];
    expect(refusal(judgeSend(sends, question()))).toEqual(['otp_limit_reached', 3600]);
    expect(judgeSend(sends, question({ addressKey: 'new' })).refusal).toBeUndefined();
    const [first, ...others] = sends as [EarlierSend, ...EarlierSend[]];
    expect(judgeSend([{ ...first, isVerified: true }, ...others], question()).refusal).toBeUndefined();
    const seven = [...sends, ...ofOthers(5)];
    expect(judgeSend(seven, question({ addressKey: 'new' })).refusal).toBeUndefined();
    expect(refusal(judgeSend([...seven, ...ofOthers(3)], question({ addressKey: 'new' })))).toEqual([
      'otp_limit_reached',
      3600,
    ]);
  });

  it('keeps an address waiting only until it counts as new', () => {
    const sends = [send(23 * HOUR_MS), ...ofOthers(22, 17, 14, 11, 8, 5)];
    expect(refusal(judgeSend(sends, question()))).toEqual(['otp_limit_reached', 3600]);
  });

  it('goes before the wait, and tells the longer of the two', () => {
    const sends = ofOthers(0.999, 0.9, 0.8, 0.7, 0);
    expect(refusal(judgeSend(sends, question()))).toEqual(['otp_limit_reached', 600]);
  });

  it('of a device is its own, and that of all devices three times as large', () => {
    const strangers = ofOthers(0.5, 0.4, 0.3, 0.2, 0.1);
    const device = question({ deviceKey: 'phone' });
    expect(judgeSend(strangers, device)).toEqual({ resendIn: 30 });
    const own = [0.9, 0.8, 0.7, 0.6, 0.5].map((hours) => send(hours * HOUR_MS, { deviceKey: 'phone' }));
    expect(refusal(judgeSend(own, device))).toEqual(['otp_limit_reached', 360]);
    expect(judgeSend(own, question())).toEqual({ resendIn: 30 });
    const ofDevices = Array.from({ length: 24 }, (_, index) =>
      send((23.5 - index / 2) * HOUR_MS, { deviceKey: `device ${index % 12}` }),
    );
    expect(judgeSend(ofDevices.slice(1), device).refusal).toBeUndefined();
    expect(refusal(judgeSend(ofDevices, device))).toEqual(['otp_limit_reached', 1800]);
  });
});

// What happens at a number: who asks again after how long, and whether the code is entered.
const asks = fc.array(
  fc.record({
    afterMs: fc.oneof(
      fc.constantFrom(30, 60, 120, 300, 600, 1800, 3570, 3590).map((seconds) => seconds * SECOND),
      fc.integer({ max: 5 * HOUR_MS, min: 1 }),
    ),
    addressKey: fc.constantFrom('home', 'work', 'stranger'),
    deviceKey: fc.constantFrom(null, null, 'phone', 'tablet'),
    isVerified: fc.boolean(),
  }),
  { maxLength: 60 },
);

/** What is kept of a number's sends at a time. */
const lastDay = (sends: readonly EarlierSend[], now: number) => sends.filter(({ at }) => at > now - DAY_MS);

interface Judged {
  asked: SendQuestion;
  before: EarlierSend[];
  verdict: NumberVerdict;
}

/** Lives through the asks, and answers how each was judged. */
function live(all: readonly (Omit<EarlierSend, 'at'> & { afterMs: number })[]): Judged[] {
  let [now, signedInAt, sends]: [number, number, EarlierSend[]] = [NOW, 0, []];
  return all.map(({ afterMs, isVerified, ...by }) => {
    now += afterMs;
    const asked = question({ now, signedInAt, ...by });
    const before = lastDay(sends, now);
    const verdict = judgeSend(before, asked);
    if (!verdict.refusal) {
      sends = [...sends, { at: now, isVerified, ...by }];
      if (isVerified) signedInAt = now + 1;
    }
    return { asked, before, verdict };
  });
}

const RUNS = { numRuns: 300 };

describe('whatever is asked', () => {
  it('a code that is sent breaks no budget', () => {
    fc.assert(
      fc.property(asks, (all) => {
        for (const { asked, before, verdict } of live(all)) {
          if (verdict.refusal) continue;
          const lane = before.filter(({ deviceKey }) => deviceKey === asked.deviceKey);
          expect(lane.filter(({ at }) => at > asked.now - HOUR_MS).length).toBeLessThan(5);
          expect(lane.length).toBeLessThan(8);
          if (asked.deviceKey !== null) continue;
          const own = lane.filter((each) => each.addressKey === asked.addressKey && !each.isVerified);
          expect(own.length).toBeLessThan(4);
          if (own.length > 0) expect(lane.length).toBeLessThan(6);
        }
      }),
      RUNS,
    );
  });

  it('what is refused passes at the second that it was told, and not one earlier', () => {
    fc.assert(
      fc.property(asks, (all) => {
        for (const { asked, before, verdict } of live(all)) {
          if (!verdict.refusal) continue;
          const at = (seconds: number) => {
            const now = asked.now + seconds * SECOND;
            return judgeSend(lastDay(before, now), { ...asked, now });
          };
          expect(at(verdict.refusal.retryAfter).refusal).toBeUndefined();
          expect(at(verdict.refusal.retryAfter - 1).refusal).toBeDefined();
        }
      }),
      RUNS,
    );
  });

  it('the wait that was told is the one that is kept, where nobody signs in', () => {
    fc.assert(
      fc.property(asks, (all) => {
        for (const { asked, before, verdict } of live(all.map((ask) => ({ ...ask, isVerified: false })))) {
          if (verdict.refusal) continue;
          const { now, addressKey, deviceKey } = asked;
          const sends = [...before, { at: now, addressKey, deviceKey, isVerified: false }];
          const early = judgeSend(sends, { ...asked, now: now + verdict.resendIn * SECOND - 1 });
          const due = judgeSend(sends, { ...asked, now: now + verdict.resendIn * SECOND });
          expect(early.refusal).toBeDefined();
          expect(due.refusal?.code).not.toBe('otp_cooldown');
        }
      }),
      RUNS,
    );
  });
});
