import { seededRandom } from '../seeded-random.js';
import { type Habits, longestWait, signIn, type Visit } from './people.js';
import { duration, percent } from './report.js';
import type { World } from './world.js';

export interface Crowd {
  people: number;
  /** They come at random moments of so many seconds. */
  within: number;
  seed: number;
  /** The number of each; by default one that is new. */
  numbers?: readonly string[];
  /** The address that all of them share; by default each has one. */
  from?: string;
  /** Shares of the people. */
  typos?: number;
  resend?: number;
  leave?: number;
}

/** People who sign in for themselves, and take 20 to 90 seconds to type their code. */
export function crowd(
  world: World,
  { people, within, seed, numbers, from, typos = 0, resend = 0, leave = 0 }: Crowd,
): { lives: (() => Promise<void>)[]; visits: Visit[] } {
  const random = seededRandom(seed);
  const visits: Visit[] = [];
  const lives = Array.from({ length: people }, (_, index) => {
    const [arrival, fate] = [within * random(), random()];
    const habits: Habits = {
      typing: 20 + 70 * random(),
      typos: random() < typos ? 1 : 0,
      leaves: fate < leave,
      resends: fate >= leave && fate < leave + resend,
      ...(from !== undefined && { from }),
    };
    return async () => {
      await world.timeline.sleep(arrival);
      visits.push(await signIn(world, numbers?.[index] ?? world.freshNumber(), habits));
    };
  });
  return { lives, visits };
}

export const CROWD_COLUMNS = [
  'people',
  'signed in',
  'left',
  'refused',
  'longest wait',
  'with longer codes',
] as const;

/** What a crowd met, as a row of those columns. */
export function rowOf(visits: readonly Visit[]): unknown[] {
  const signedIn = visits.filter(({ tokens }) => tokens).length;
  const longer = visits.filter(({ lengths }) => lengths.some((length) => length > 4)).length;
  return [
    visits.length,
    signedIn,
    visits.length - signedIn,
    refusalsOf(visits).length,
    duration(longestWait(visits)),
    percent(longer / visits.length),
  ];
}

/** Of those who were refused. */
export function refusalsOf(visits: readonly Visit[]): string[][] {
  return visits.map(({ refusals }) => refusals).filter(({ length }) => length > 0);
}
