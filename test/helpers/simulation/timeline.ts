import type { StoppableClock } from '../app.js';

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * Simulated time, in seconds since it began. Whoever lives in it is an async function that sleeps now and then; the
 * clock stands still while anybody is awake, and jumps to the next who is to be woken when all sleep. So what happens
 * depends on no machine's speed.
 */
export class Timeline {
  private elapsedMs = 0;
  private awake = 0;
  private readonly sleepers = new Map<number, (() => void)[]>();
  private whenAllSleep: () => void = () => undefined;

  constructor(private readonly clock: StoppableClock) {
    clock.stop();
  }

  get now(): number {
    return this.elapsedMs / 1000;
  }

  async sleep(seconds: number): Promise<void> {
    const wakeAt = this.elapsedMs + Math.max(0, Math.ceil(seconds * 1000));
    await new Promise<void>((wake) => {
      this.sleepers.set(wakeAt, [...(this.sleepers.get(wakeAt) ?? []), wake]);
      this.fallAsleep();
    });
  }

  async sleepUntil(second: number): Promise<void> {
    await this.sleep(second - this.now);
  }

  /** Until all of them have ended. Who sleeps must be one of these, and does one thing at a time. */
  async live(lives: readonly (() => Promise<void>)[]): Promise<void> {
    this.awake += lives.length;
    let alive = lives.length;
    const ended = Promise.all(
      lives.map(async (life) => {
        await life();
        alive -= 1;
        this.fallAsleep();
      }),
    );
    // A life that fails never falls asleep: its failure is what ends the wait.
    while (alive > 0) {
      await Promise.race([this.allAsleep(), ended]);
      this.wakeNext();
    }
    await ended;
  }

  private allAsleep(): Promise<void> {
    return new Promise((resolve) => {
      this.whenAllSleep = resolve;
      if (this.awake === 0) resolve();
    });
  }

  private fallAsleep(): void {
    this.awake -= 1;
    if (this.awake === 0) this.whenAllSleep();
  }

  private wakeNext(): void {
    if (this.sleepers.size === 0) return;
    let next = Infinity;
    for (const wakeAt of this.sleepers.keys()) next = Math.min(next, wakeAt);
    const woken = this.sleepers.get(next) ?? [];
    this.sleepers.delete(next);
    this.clock.advance((next - this.elapsedMs) / 1000);
    this.elapsedMs = next;
    this.awake += woken.length;
    for (const wake of woken) wake();
  }
}
