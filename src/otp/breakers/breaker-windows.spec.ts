import fc from 'fast-check';

import { countsAt, type Counted, historyAt, windowsAt } from './breaker-windows.js';

const NOON = Date.UTC(2026, 2, 1, 12);
const MINUTE_MS = 60_000;
const NOTHING: Counted = { minutes: [], sends: [], verified: [] };

const at = (minutes: number) => new Date(NOON + minutes * MINUTE_MS);

/** One send each, and every third of them verified. */
function counted(times: readonly Date[], span: 1 | 60): Counted {
  const minutes = times.map((time) => Math.floor(time.getTime() / MINUTE_MS / span) * span);
  return { minutes, sends: minutes.map(() => 1), verified: minutes.map((_, index) => (index % 3 ? 0 : 1)) };
}

describe('countsAt', () => {
  // A row of a minute is counted by the age of its youngest send, or its oldest.
  it.each([
    [2, { burst: 0, telling: 0, hour: 0, day: 0 }],
    [3, { burst: 1, telling: 1, hour: 0, day: 0 }],
    [10, { burst: 1, telling: 1, hour: 0, day: 0 }],
    [11, { burst: 0, telling: 1, hour: 1, day: 1 }],
    [59, { burst: 0, telling: 1, hour: 1, day: 1 }],
    [60, { burst: 0, telling: 0, hour: 0, day: 1 }],
  ])('knows the age of a send of %i minutes ago', (age, expected) => {
    for (const now of [at(0), at(10), at(11), at(59)]) {
      const sent = [new Date(now.getTime() - age * MINUTE_MS)];
      const { minutesFrom, hoursFrom } = windowsAt(now);
      const since = (from: Date) => sent.filter((time) => time >= from);
      const counts = countsAt(now, counted(since(minutesFrom), 1), counted(since(hoursFrom), 60), null);
      const { burst, telling, hour, day, wholeDay } = counts;
      expect(wholeDay).toEqual(day);
      expect({ burst: burst.sends, telling: telling.sends, hour: hour.sends, day: day.sends }).toEqual(
        expected,
      );
    }
  });

  it('has each send of the last 23 hours once in its day, from minutes or hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 11, max: 23 * 60 }), (past, age) => {
        const now = at(past);
        const sent = [new Date(now.getTime() - age * MINUTE_MS)];
        const { minutesFrom, hoursFrom } = windowsAt(now);
        const since = (from: Date) => sent.filter((time) => time >= from);
        const { day } = countsAt(now, counted(since(minutesFrom), 1), counted(since(hoursFrom), 60), null);
        expect(day.sends).toBe(1);
      }),
    );
  });

  it('leaves out what was sent before, but for the whole day', () => {
    const now = at(30);
    const sent = [at(-120), at(-20), at(5), at(15)];
    const byMinute = counted(sent.slice(1), 1);
    const { day, wholeDay, hour } = countsAt(now, byMinute, counted(sent, 60), at(4));
    expect([wholeDay.sends, day.sends, hour.sends]).toEqual([4, 2, 2]);
  });

  it('does not take an hour in which it closed for one since', () => {
    // It closed at 12:30; by 15:00 that hour is known as a whole only.
    const { day } = countsAt(at(180), NOTHING, counted([at(10), at(40), at(70)], 60), at(30));
    expect(day.sends).toBe(1);
  });
});

describe('historyAt', () => {
  it('knows the best day, and not this hour', () => {
    const byHour: Counted = {
      minutes: [-24 * 60, -23 * 60, 0].map((minute) => NOON / MINUTE_MS + minute),
      sends: [10, 10, 100],
      verified: [7, 6, 90],
    };
    expect(historyAt(at(30), byHour)).toEqual({ bestDay: 13, medianHour: 0 });
  });

  it('takes hours without sends into the middle', () => {
    const hours = (count: number): Counted => {
      const minutes = Array.from({ length: count }, (_, index) => NOON / MINUTE_MS - (index + 1) * 60);
      return { minutes, sends: minutes.map(() => 9), verified: minutes.map(() => 2) };
    };
    expect(historyAt(at(0), hours(84)).medianHour).toBe(0);
    expect(historyAt(at(0), hours(85)).medianHour).toBe(7);
    expect(historyAt(at(0), hours(14 * 24)).medianHour).toBe(7);
  });
});
