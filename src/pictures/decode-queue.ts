import { availableParallelism } from 'node:os';

import { Problem } from '../platform/http/problem.js';

const MAX_WAITING = 64;
const MAX_OF_ONE_OWNER = 6;
const RETRY_AFTER_SECONDS = 2;
const MAX_WAIT_MS = 10_000;

interface Options {
  slots?: number;
  maxWaiting?: number;
  maxWaitMs?: number;
}

interface Waiting {
  start: () => void;
}

/**
 * Bounds what pictures cost. An upload is admitted before its body is read, or refused at once; an admitted one then
 * waits its turn for each picture. A slot is held while a picture is decoded and not while it arrives, so that two
 * slow phones keep nobody out.
 */
export class DecodeQueue {
  private readonly maxAdmitted: number;
  private readonly maxWaitMs: number;
  private readonly waiting: Waiting[] = [];
  private readonly admittedOf = new Map<string, number>();
  private admitted = 0;
  private free: number;

  constructor({
    slots = Math.min(availableParallelism(), 2),
    maxWaiting = MAX_WAITING,
    maxWaitMs = MAX_WAIT_MS,
  }: Options = {}) {
    this.free = slots;
    this.maxAdmitted = slots + maxWaiting;
    this.maxWaitMs = maxWaitMs;
  }

  /**
   * @throws {Problem} `rate_limited` while six uploads of that owner are under way: one account alone, with slow
   *   requests, takes up no more places than that; `service_unavailable` while as many as can be waited for are.
   */
  async admit<T>(ownerId: string, upload: () => Promise<T>): Promise<T> {
    const ofOwner = this.admittedOf.get(ownerId) ?? 0;
    if (ofOwner >= MAX_OF_ONE_OWNER) throw new Problem('rate_limited', { retry_after: RETRY_AFTER_SECONDS });
    if (this.admitted >= this.maxAdmitted) throw new Problem('service_unavailable');
    this.admitted += 1;
    this.admittedOf.set(ownerId, ofOwner + 1);
    try {
      return await upload();
    } finally {
      this.admitted -= 1;
      this.leave(ownerId);
    }
  }

  /**
   * Runs `decode` in its turn: first come, first served.
   *
   * @throws {Problem} `service_unavailable` where its turn does not come in time.
   */
  async run<T>(decode: () => Promise<T>): Promise<T> {
    await this.turn();
    try {
      return await decode();
    } finally {
      this.release();
    }
  }

  private leave(ownerId: string): void {
    const left = (this.admittedOf.get(ownerId) ?? 0) - 1;
    if (left > 0) this.admittedOf.set(ownerId, left);
    else this.admittedOf.delete(ownerId);
  }

  private turn(): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(new Problem('service_unavailable'));
      }, this.maxWaitMs);
      const entry = {
        start: () => {
          clearTimeout(timeout);
          resolve();
        },
      };
      this.waiting.push(entry);
    });
  }

  private release(): void {
    const next = this.waiting.shift();
    // The slot goes from hand to hand: nobody who comes now can snatch it.
    if (next) next.start();
    else this.free += 1;
  }
}
