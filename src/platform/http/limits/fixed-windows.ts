import type { ThrottlerStorage } from '@nestjs/throttler';

import type { Clock } from '../../clock.js';

type Counted = Awaited<ReturnType<ThrottlerStorage['increment']>>;

interface Window {
  hits: number;
  /** Milliseconds since the epoch. */
  until: number;
}

const MAX_KEYS = 100_000;

/**
 * Counts hits in this process: one number for each key, in a window that begins with its first hit. A hit costs the
 * same however many there were, and memory is bounded (some 20 MB).
 */
export class FixedWindows implements ThrottlerStorage {
  // In the order in which they began: as all are of one length, the first is the first to end.
  private readonly windows = new Map<string, Window>();

  /** @param maxKeys above it, the window that began first is forgotten. */
  constructor(
    private readonly clock: Clock,
    private readonly maxKeys = MAX_KEYS,
  ) {}

  /** Keys that are counted, those included whose window has ended and that nobody has asked for since. */
  get size(): number {
    return this.windows.size;
  }

  increment(key: string, ttl: number, limit: number): Promise<Counted> {
    const now = this.clock.now().getTime();
    const window = this.windowOf(key, ttl, now);
    window.hits += 1;
    const secondsLeft = Math.ceil((window.until - now) / 1000);
    const isBlocked = window.hits > limit;
    return Promise.resolve({
      totalHits: window.hits,
      timeToExpire: secondsLeft,
      isBlocked,
      timeToBlockExpire: isBlocked ? secondsLeft : 0,
    });
  }

  private windowOf(key: string, ttl: number, now: number): Window {
    const known = this.windows.get(key);
    // One that ends later than a new one would is of a clock that has been put back since.
    if (known && now < known.until && known.until <= now + ttl) return known;
    this.windows.delete(key);
    this.makeRoom(now);
    const window = { hits: 0, until: now + ttl };
    this.windows.set(key, window);
    return window;
  }

  /**
   * Two are looked at for each one that comes, so those that have ended never pile up. Where none has ended and there
   * is no room, the oldest is forgotten: nobody is refused for the crowd, and whoever wants their own count forgotten
   * has to come from `maxKeys` others, which are worth far more requests than it is.
   */
  private makeRoom(now: number): void {
    for (let look = 1; look <= 2; look += 1) {
      const [oldest] = this.windows;
      if (!oldest) return;
      const [key, { until }] = oldest;
      if (now < until && this.windows.size < this.maxKeys) return;
      this.windows.delete(key);
    }
  }
}
