import { harness } from '../helpers/app.js';
import { seededRandom } from '../helpers/seeded-random.js';
import { signIn, type Visit } from '../helpers/simulation/people.js';
import { duration, report } from '../helpers/simulation/report.js';
import { scaled, SIMULATION_TIMEOUT } from '../helpers/simulation/scale.js';
import { DAY, HOUR, MINUTE } from '../helpers/simulation/timeline.js';
import { World } from '../helpers/simulation/world.js';

const STRANGERS = [1, 2, 3, 4, 6, 8];
/** Owners for each, who come at different times of the day. */
const OWNERS = scaled({ full: 48, test: 12 });

afterAll(() => harness.closeApps());

/** Asks for codes for a number from one address, as often as that is allowed, and types none of them. */
async function askAllDay(world: World, phoneNumber: string, until: number): Promise<void> {
  const { timeline } = world;
  const from = world.addresses.fresh();
  while (timeline.now < until) {
    const asked = await world.ask(phoneNumber, { from });
    await timeline.sleep(asked.sent ? 1 : Math.max(1, asked.refusal.retryAfter));
  }
}

describe('a number that strangers ask codes for all day', () => {
  const visits = new Map<number, Visit[]>();
  beforeAll(async () => {
    const world = await World.begin();
    const { timeline } = world;
    const random = seededRandom(1);
    const targets = STRANGERS.flatMap((strangers) =>
      Array.from({ length: OWNERS }, (_, index) => {
        const phoneNumber = world.freshNumber();
        // They begin at midnight; the owners come through the day.
        return { strangers, phoneNumber, at: MINUTE + (20 * HOUR * (index + random())) / OWNERS };
      }),
    );
    await timeline.live(
      targets.map(
        ({ phoneNumber }) =>
          async () =>
            void (await signIn(world, phoneNumber)),
      ),
    );
    await timeline.live([() => timeline.sleep(DAY)]);
    const began = timeline.now;
    await timeline.live(
      targets.flatMap(({ strangers, phoneNumber, at }) => [
        ...Array.from({ length: strangers }, () => () => askAllDay(world, phoneNumber, began + DAY)),
        async () => {
          await timeline.sleep(at);
          const visit = await signIn(world, phoneNumber);
          visits.set(strangers, [...(visits.get(strangers) ?? []), visit]);
        },
      ]),
    );
    report(
      'Strangers who ask for codes for one number all day, its owner on a new phone',
      ['addresses', 'owners', 'signed in', 'waited at all', 'median wait', 'longest wait'],
      STRANGERS.map((strangers) => {
        const waits = visitsOf(strangers).map(({ waited }) => waited);
        waits.sort((one, other) => one - other);
        return [
          strangers,
          waits.length,
          visitsOf(strangers).filter(({ tokens }) => tokens).length,
          waits.filter((waited) => waited > 0).length,
          duration(waits[Math.floor(waits.length / 2)] ?? 0),
          duration(waits.at(-1) ?? 0),
        ];
      }),
    );
  }, SIMULATION_TIMEOUT);

  const visitsOf = (strangers: number): Visit[] => visits.get(strangers) ?? [];

  it('lets its owner in on a new phone, after ten minutes at most, beside one of them', () => {
    expect(visitsOf(1).filter(({ tokens }) => !tokens)).toEqual([]);
    expect(Math.max(...visitsOf(1).map(({ waited }) => waited))).toBeLessThanOrEqual(10 * MINUTE);
  });

  it('lets its owner in within an hour beside three', () => {
    expect(visitsOf(3).filter(({ tokens }) => !tokens)).toEqual([]);
    expect(Math.max(...visitsOf(3).map(({ waited }) => waited))).toBeLessThanOrEqual(HOUR);
  });
});
