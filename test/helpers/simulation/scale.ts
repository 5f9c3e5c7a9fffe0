/** Whether this is `npm run simulate`, which takes its time, or one of the tests. */
const isFullScale = process.env.SIMULATION_SCALE === 'full';

export function scaled({ full, test }: { full: number; test: number }): number {
  return isFullScale ? full : test;
}

/** Milliseconds: jest gives up after that, and nothing that is measured depends on it. */
export const SIMULATION_TIMEOUT = isFullScale ? 12 * 3_600_000 : 1_200_000;
