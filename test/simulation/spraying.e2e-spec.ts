import { harness } from '../helpers/app.js';
import { seededRandom } from '../helpers/seeded-random.js';
import { GuessLedger } from '../helpers/simulation/guess-ledger.js';
import { wrong } from '../helpers/simulation/people.js';
import { report } from '../helpers/simulation/report.js';
import { scaled, SIMULATION_TIMEOUT } from '../helpers/simulation/scale.js';
import { DAY, MINUTE } from '../helpers/simulation/timeline.js';
import { World } from '../helpers/simulation/world.js';

const ADDRESSES = scaled({ full: 5000, test: 40 });
const NUMBERS_EACH = 20;
const GUESSES = 3;

const rows: unknown[][] = [];
afterEach(() => harness.closeApps());
afterAll(() =>
  report(
    `${ADDRESSES * NUMBERS_EACH} accounts sprayed with ${GUESSES} guesses each from ${ADDRESSES} addresses in a day`,
    [
      'service-wide rule',
      'texts sent',
      'guesses at 4 digits',
      '6 digits',
      '8 digits',
      'expected takeovers',
      'for 100,000 accounts',
    ],
    rows,
  ),
);

/** Numbers with accounts, in the order of their countries: an address may leave codes unused in few of them. */
async function accounts(world: World): Promise<string[]> {
  const { app } = world;
  const wanted = ADDRESSES * NUMBERS_EACH;
  await harness.populate(app.started.database, Math.ceil(wanted * 1.05) + 50, app.clock.now());
  const found = await app.sql<{ phone_number: string }>(
    `SELECT phone_number FROM users WHERE status = 'active' ORDER BY phone_number LIMIT $1`,
    [wanted],
  );
  return found.map(({ phone_number }) => phone_number);
}

/** One address goes through its numbers in the course of a day, three guesses at each. */
async function spray(
  world: World,
  targets: readonly string[],
  { ledger, random }: { ledger: GuessLedger; random: () => number },
): Promise<number> {
  const { timeline } = world;
  const from = world.addresses.fresh();
  const pause = (DAY - 10 * MINUTE) / targets.length;
  let sent = 0;
  await timeline.sleep(pause * random());
  for (const target of targets) {
    const asked = await world.ask(target, { from });
    if (asked.sent) {
      sent += 1;
      for (let guess = 1; guess <= GUESSES; guess += 1) {
        const guessed = await world.guess(target, wrong(asked.sent.length, guess), { from });
        if (!guessed.signedIn && guessed.isTaken) ledger.count(asked.sent.id, asked.sent.length);
      }
    }
    await timeline.sleep(pause);
  }
  return sent;
}

async function sprayAll(rule: string, env: Record<string, string>): Promise<GuessLedger> {
  const world = await World.begin(env);
  const targets = await accounts(world);
  const random = seededRandom(1);
  const ledger = new GuessLedger();
  let sent = 0;
  await world.timeline.live(
    Array.from({ length: ADDRESSES }, (_, index) => async () => {
      const own = targets.slice(index * NUMBERS_EACH, (index + 1) * NUMBERS_EACH);
      const texts = await spray(world, own, { ledger, random });
      sent += texts;
    }),
  );
  const expected = ledger.expected();
  const guesses = [4, 6, 8].map((length) => ledger.at(length));
  const forAll = (expected * 100_000) / targets.length;
  rows.push([rule, sent, ...guesses, expected.toFixed(3), forAll.toFixed(2)]);
  return ledger;
}

describe('many accounts that are sprayed with few guesses each', () => {
  it(
    'are guarded by the service-wide rule, where no number and no address can tell',
    async () => {
      const without = await sprayAll('off', {
        SERVICE_FAILURES_PER_HOUR: '1000000000',
        SERVICE_FAILURES_PER_DAY: '1000000000',
      });
      const ruled = await sprayAll('on', {});
      expect(without.at(4)).toBeGreaterThan(ADDRESSES * GUESSES);
      expect(ruled.expected()).toBeLessThan(without.expected() / 10);
    },
    SIMULATION_TIMEOUT,
  );
});
