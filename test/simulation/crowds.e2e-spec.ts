import { harness } from '../helpers/app.js';
import { crowd, CROWD_COLUMNS, refusalsOf, rowOf } from '../helpers/simulation/crowd.js';
import { longestWait } from '../helpers/simulation/people.js';
import { report } from '../helpers/simulation/report.js';
import { scaled, SIMULATION_TIMEOUT } from '../helpers/simulation/scale.js';
import { DAY, HOUR, MINUTE } from '../helpers/simulation/timeline.js';
import { World } from '../helpers/simulation/world.js';

/** What honest people do wrong. */
const HONEST = { typos: 0.03, resend: 0.05, leave: 0.03 };

const rows: unknown[][] = [];
afterEach(() => harness.closeApps());
afterAll(() => report('Crowds', ['crowd', ...CROWD_COLUMNS], rows));

/** Everybody behind one address. */
async function behindOneAddress(people: number, dayBefore: number) {
  const world = await World.begin();
  const from = world.addresses.fresh();
  const ordinary = crowd(world, { people: dayBefore, within: DAY - 5 * MINUTE, seed: 1, from, ...HONEST });
  await world.timeline.live([...ordinary.lives, () => world.timeline.sleep(DAY)]);
  const evening = crowd(world, { people, within: 10 * MINUTE, seed: 2, from, ...HONEST });
  await world.timeline.live(evening.lives);
  return { ordinary: ordinary.visits, evening: evening.visits };
}

describe('a crowd behind one address', () => {
  it(
    'is not refused at a carrier that has had an ordinary day',
    async () => {
      const people = scaled({ full: 5000, test: 400 });
      const { ordinary, evening } = await behindOneAddress(people, people / 5);
      rows.push(['carrier, the day before', ...rowOf(ordinary)], ['carrier, 10 minutes', ...rowOf(evening)]);
      expect(refusalsOf([...ordinary, ...evening])).toEqual([]);
    },
    SIMULATION_TIMEOUT,
  );

  it(
    'waits no more than a minute where nobody has ever signed in, as on a venue’s first evening',
    async () => {
      const people = scaled({ full: 2000, test: 1000 });
      const { evening } = await behindOneAddress(people, 0);
      rows.push(['venue, first evening', ...rowOf(evening)]);
      expect(longestWait(evening)).toBeLessThanOrEqual(60);
    },
    SIMULATION_TIMEOUT,
  );
});

describe('a launch', () => {
  it(
    'refuses none of a thousand people who sign up in its first hour',
    async () => {
      const world = await World.begin();
      const launch = crowd(world, {
        people: 1000,
        within: HOUR,
        seed: 3,
        typos: 0.03,
        resend: 0.1,
        leave: 0.05,
      });
      await world.timeline.live(launch.lives);
      rows.push(['launch, first hour', ...rowOf(launch.visits)]);
      expect(refusalsOf(launch.visits)).toEqual([]);
    },
    SIMULATION_TIMEOUT,
  );
});
