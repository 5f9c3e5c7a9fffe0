import { harness } from '../helpers/app.js';
import { crowd, CROWD_COLUMNS, refusalsOf, rowOf } from '../helpers/simulation/crowd.js';
import { report } from '../helpers/simulation/report.js';
import { scaled, SIMULATION_TIMEOUT } from '../helpers/simulation/scale.js';
import { DAY, HOUR, MINUTE } from '../helpers/simulation/timeline.js';
import { World } from '../helpers/simulation/world.js';

/** Users of the country that is attacked: as many who have an account, and who have none. */
const USERS = 100;
const LASTS = scaled({ full: 6 * HOUR, test: 2 * HOUR });
/** Seconds between two texts that the attack asks for, each from an address that nobody else has. */
const EVERY = 5;

const attacks: unknown[][] = [];
const people: unknown[][] = [];
afterEach(() => harness.closeApps());
afterAll(() => {
  report(
    'Pumping in one country',
    ['attack', 'asked for', 'texts sent', 'of these before the first refusal', 'first refusal after'],
    attacks,
  );
  report('Users of that country meanwhile', ['attack', 'users', ...CROWD_COLUMNS], people);
});

interface Pumped {
  asked: number;
  sent: number;
  /** Texts before the first refusal, and its second. */
  first?: { sent: number; at: number };
}

async function pump(world: World, numberOf: (index: number) => string): Promise<Pumped> {
  const { timeline } = world;
  const began = timeline.now;
  const pumped: Pumped = { asked: 0, sent: 0 };
  while (timeline.now < began + LASTS) {
    const asked = await world.ask(numberOf(pumped.asked), { from: world.addresses.fresh() });
    pumped.asked += 1;
    if (asked.sent) pumped.sent += 1;
    else pumped.first ??= { sent: pumped.sent, at: timeline.now - began };
    await timeline.sleep(EVERY);
  }
  return pumped;
}

async function underAttack(name: string, numberOf: (index: number) => string) {
  const world = await World.begin();
  const { timeline } = world;
  const known = Array.from({ length: USERS }, () => world.freshNumber());
  const before = crowd(world, { people: USERS, within: DAY - HOUR, seed: 1, numbers: known });
  await timeline.live([...before.lives, () => timeline.sleep(DAY)]);

  const returning = crowd(world, { people: USERS, within: LASTS - 5 * MINUTE, seed: 2, numbers: known });
  const fresh = crowd(world, { people: USERS, within: LASTS - 5 * MINUTE, seed: 3, leave: 0.05 });
  let pumped: Pumped | undefined;
  await timeline.live([
    ...returning.lives,
    ...fresh.lives,
    async () => void (pumped = await pump(world, numberOf)),
  ]);
  const { asked = 0, sent = 0, first } = pumped ?? {};
  for (const r of await world.app.sql(`SELECT trickle_of, prefix = '+551195550' AS of_attack, count(*) FROM phone_sends WHERE trickle_of IS NOT NULL GROUP BY 1,2 ORDER BY 1,2`)) process.stdout.write(JSON.stringify(r)+'\n');
  for (const r of await world.app.sql(`SELECT action, at_min, payload FROM (SELECT action, payload, id, created_at AS at_min FROM audit_log WHERE action LIKE 'sms%') x ORDER BY id LIMIT 40`)) process.stdout.write(JSON.stringify(r)+'\n');
  attacks.push([name, asked, sent, first?.sent ?? 'none', first ? `${Math.round(first.at)} s` : 'never']);
  people.push([name, 'with an account', ...rowOf(returning.visits)]);
  people.push([name, 'new', ...rowOf(fresh.visits)]);
  return { asked, sent, first, returning: returning.visits };
}

describe('texts that are asked for to be paid for', () => {
  it(
    'are stopped in one range of numbers, and no user with an account is refused',
    async () => {
      const inOrder = (index: number) => `+551195550${String(index).padStart(4, '0')}`;
      const { first, sent, returning } = await underAttack('one range', inOrder);
      expect(first?.sent).toBeLessThanOrEqual(50);
      expect(sent).toBeLessThanOrEqual(50 + LASTS / (5 * MINUTE) + 50);
      expect(refusalsOf(returning)).toEqual([]);
    },
    SIMULATION_TIMEOUT,
  );

  it(
    'are stopped in a country, where each goes to another range',
    async () => {
      const spread = (index: number) => `+55119${5000 + ((index * 7) % 900)}${1000 + index}`;
      const { first, returning } = await underAttack('a range for each', spread);
      expect(first?.sent).toBeLessThanOrEqual(200);
      expect(refusalsOf(returning)).toEqual([]);
    },
    SIMULATION_TIMEOUT,
  );
});
