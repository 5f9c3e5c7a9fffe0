// Puts 80,000 hits on one key and compares what the first thousand cost with the last, for our counting of requests
// and, in the same run, for the storage that @nestjs/throttler comes with. Only ratios mean anything.
//
//   npm run build && node bench/limits.mjs
import { ThrottlerStorageService } from '@nestjs/throttler';

import { FixedWindows } from '../dist/platform/http/limits/fixed-windows.js';

const HITS = 80_000;
const SAMPLE = 1000;
// Longer than the run: in a minute that is over, there is less to count.
const WINDOW_MS = 60 * 60 * 1000;
const UNLIMITED = 1_000_000_000;

const clock = { now: () => new Date() };
const theirs = new ThrottlerStorageService();
// The code compiles on hits that do not count.
for (const storage of [new FixedWindows(clock), theirs]) await hit(storage, 'warm-up', 3 * SAMPLE);

const ours = await measure(new FixedWindows(clock));
const comparison = await measure(theirs);
theirs.onApplicationShutdown();
console.table({ FixedWindows: rowOf(ours), ThrottlerStorageService: rowOf(comparison) });

async function measure(storage) {
  const first = await hit(storage, 'key', SAMPLE);
  await hit(storage, 'key', HITS - 2 * SAMPLE);
  const last = await hit(storage, 'key', SAMPLE);
  return { first, last };
}

/** @returns microseconds a hit. */
async function hit(storage, key, times) {
  const start = performance.now();
  for (let time = 0; time < times; time += 1) {
    await storage.increment(key, WINDOW_MS, UNLIMITED, WINDOW_MS, 'default');
  }
  return ((performance.now() - start) * 1000) / times;
}

function rowOf({ first, last }) {
  return {
    'first 1,000, µs a hit': Number(first.toFixed(2)),
    'last 1,000, µs a hit': Number(last.toFixed(2)),
    'last : first': Number((last / first).toFixed(1)),
    'last : ours': Number((last / ours.last).toFixed(1)),
  };
}
