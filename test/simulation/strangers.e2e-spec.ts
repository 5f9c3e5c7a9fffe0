import { harness } from '../helpers/app.js';
import { seededRandom } from '../helpers/seeded-random.js';
import { longestWait, signIn, type Visit } from '../helpers/simulation/people.js';
import { duration, report } from '../helpers/simulation/report.js';
import { scaled, SIMULATION_TIMEOUT } from '../helpers/simulation/scale.js';
import { DAY, HOUR, MINUTE } from '../helpers/simulation/timeline.js';
import { World } from '../helpers/simulation/world.js';

const STRANGERS = [1, 2, 3, 4];
/** Owners for each, who come at different times of the day. */
const OWNERS = scaled({ full: 48, test: 12 });

afterAll(() => harness.closeApps());

/**
 * Asks for codes for a number from so many addresses, as often as that is allowed, and types none of them. A new address
 * is only used once the earlier ones are refused: the last texts of a day are kept for such.
 */
async function askAllDay(
  world: World,
  { phoneNumber, strangers, until }: { phoneNumber: string; strangers: number; until: number },
): Promise<void> {
  const { timeline } = world;
  const addresses = Array.from({ length: strangers }, () => world.addresses.fresh());
  while (timeline.now < until) {
    let wait = DAY;
    for (const from of addresses) {
      const asked = await world.ask(phoneNumber, { from });
      wait = asked.sent ? 1 : Math.min(wait, asked.refusal.retryAfter);
      if (asked.sent || asked.refusal.code === 'otp_cooldown') break;
    }
    await timeline.sleep(Math.max(1, wait));
  }
}

describe('a number that strangers ask codes for all day, and whose owner has a new phone', () => {
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
    const firstTime = targets.map(({ phoneNumber }) => async () => {
      await signIn(world, phoneNumber);
    });
    await timeline.live(firstTime);
    await timeline.live([() => timeline.sleep(DAY)]);
    const began = timeline.now;
    await timeline.live(
      targets.flatMap(({ strangers, phoneNumber, at }) => [
        () => askAllDay(world, { phoneNumber, strangers, until: began + DAY }),
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

  it('lets its owner in, after ten minutes at most, beside one of them', () => {
    expect(visitsOf(1).filter(({ tokens }) => !tokens)).toEqual([]);
    expect(longestWait(visitsOf(1))).toBeLessThanOrEqual(10 * MINUTE);
  });

  it('lets its owner in within an hour beside two or three', () => {
    const visits = [...visitsOf(2), ...visitsOf(3)];
    expect(visits.filter(({ tokens }) => !tokens)).toEqual([]);
    expect(longestWait(visits)).toBeLessThanOrEqual(HOUR);
  });
});
