import { FixedWindows } from './fixed-windows.js';

const MINUTE = 60_000;

let now: number;
const clock = { now: () => new Date(now) };
const hits = async (windows: FixedWindows, key: string, limit = 3) => {
  const { totalHits, isBlocked } = await windows.increment(key, MINUTE, limit);
  return { totalHits, isBlocked };
};

beforeEach(() => (now = 1_800_000_000_000));

describe('FixedWindows', () => {
  it('blocks above the limit, until the window of the first hit has ended', async () => {
    const windows = new FixedWindows(clock);
    for (const totalHits of [1, 2, 3])
      expect(await hits(windows, 'a')).toEqual({ totalHits, isBlocked: false });
    now += 20_500;
    expect(await windows.increment('a', MINUTE, 3)).toEqual({
      totalHits: 4,
      timeToExpire: 40,
      isBlocked: true,
      timeToBlockExpire: 40,
    });
    now += 39_499;
    expect(await windows.increment('a', MINUTE, 3)).toMatchObject({ isBlocked: true, timeToBlockExpire: 1 });
    now += 1;
    expect(await hits(windows, 'a')).toEqual({ totalHits: 1, isBlocked: false });
  });

  it('counts each key by itself', async () => {
    const windows = new FixedWindows(clock);
    for (let hit = 0; hit < 4; hit += 1) await hits(windows, 'a');
    expect(await hits(windows, 'b')).toEqual({ totalHits: 1, isBlocked: false });
  });

  it('holds one entry for one key, however many hits it takes', async () => {
    const windows = new FixedWindows(clock);
    for (let hit = 0; hit < 80_000; hit += 1) await windows.increment('a', MINUTE, 600);
    expect(windows.size).toBe(1);
    expect(await hits(windows, 'a')).toEqual({ totalHits: 80_001, isBlocked: true });
  });

  it('forgets windows that have ended, as others come', async () => {
    const windows = new FixedWindows(clock);
    for (let key = 0; key < 1000; key += 1) await hits(windows, `old ${key}`);
    now += MINUTE;
    for (let key = 0; key < 1000; key += 1) await hits(windows, `new ${key}`);
    expect(windows.size).toBe(1000);
  });

  it('forgets the oldest where there are too many, refuses nobody for it, and keeps the count of all others', async () => {
    const windows = new FixedWindows(clock, 100);
    for (let hit = 0; hit < 4; hit += 1) await hits(windows, 'first');
    for (let hit = 0; hit < 4; hit += 1) await hits(windows, 'second');
    for (let key = 0; key < 99; key += 1) {
      expect(await hits(windows, `key ${key}`)).toEqual({ totalHits: 1, isBlocked: false });
    }
    expect(windows.size).toBe(100);
    expect(await hits(windows, 'second')).toEqual({ totalHits: 5, isBlocked: true });
    expect(await hits(windows, 'first')).toEqual({ totalHits: 1, isBlocked: false });
    for (let key = 0; key < 10_000; key += 1) await hits(windows, `more ${key}`);
    expect(windows.size).toBe(100);
  });

  it('blocks nobody for longer than a window when the clock is put back', async () => {
    const windows = new FixedWindows(clock);
    for (let hit = 0; hit < 4; hit += 1) await hits(windows, 'a');
    now -= 60 * MINUTE;
    expect(await hits(windows, 'a')).toEqual({ totalHits: 1, isBlocked: false });
  });
});
