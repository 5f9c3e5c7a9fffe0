import { seededRandom } from '../seeded-random.js';
import { type Attack, atOwnersCode, type Strategy } from './attackers.js';
import { GuessLedger } from './guess-ledger.js';
import { type Habits, signIn, type Visit } from './people.js';
import { DAY, HOUR } from './timeline.js';
import { World } from './world.js';

/** How an owner signs in: on the phone of before, on a new one each day, or by an app that binds no codes. */
type OwnersPhone = 'same' | 'new' | 'unbound';

/** An account, and how it is attacked while its owner signs in each day. */
export interface Case {
  strategy: string;
  /** Nothing where the owner is away. */
  phone?: OwnersPhone;
  days: number;
  attack?: Strategy;
  /** Guesses at each code that the owner has asked for, while it has so few digits. */
  race?: { guesses: number; digits: number };
  /** Whether the attacker once had the phone, and kept its `device_token`. */
  hadPhone?: boolean;
}

export interface AttackedAccount extends Case {
  phoneNumber: string;
  ledger: GuessLedger;
  /** One a day. */
  visits: Visit[];
}

/** Attacks an account for each case, all in the same time. */
export async function simulateAttacks(
  cases: readonly Case[],
  env: Record<string, string>,
): Promise<AttackedAccount[]> {
  const world = await World.begin(env);
  const { timeline } = world;
  const accounts: AttackedAccount[] = cases.map((each) => {
    return { ...each, phoneNumber: world.freshNumber(), ledger: new GuessLedger(), visits: [] };
  });
  const tokens = new Map<AttackedAccount, string | undefined>();
  await timeline.live(
    accounts.map((account) => async () => {
      const { tokens: first } = await signIn(world, account.phoneNumber);
      tokens.set(account, first?.deviceToken);
      // Out of the hour in which texts are few.
      await timeline.sleep(HOUR);
    }),
  );
  const began = timeline.now;
  const longest = Math.max(...cases.map(({ days }) => days));
  await timeline.live([
    () => world.housekeeping(began + longest * DAY),
    ...accounts.flatMap((account, index) => {
      const { phoneNumber: target, days, ledger, hadPhone } = account;
      const deviceToken = tokens.get(account);
      const attack: Attack = { world, target, ledger, until: began + days * DAY };
      if (hadPhone) attack.deviceToken = deviceToken;
      return [
        () => ownersDays(attack, account, { began, deviceToken, random: seededRandom(index + 1) }),
        () => account.attack?.(attack) ?? Promise.resolve(),
      ];
    }),
  ]);
  return accounts;
}

async function ownersDays(
  attack: Attack,
  { phone, days, visits, race }: AttackedAccount,
  { began, deviceToken, random }: { began: number; deviceToken: string | undefined; random: () => number },
): Promise<void> {
  if (!phone) return;
  const { world, target } = attack;
  const habits: Habits = { isBound: phone !== 'unbound' };
  if (race) habits.meanwhile = atOwnersCode(attack, race);
  for (let day = 0; day < days; day += 1) {
    await world.timeline.sleepUntil(began + day * DAY + random() * 20 * HOUR);
    const visit = await signIn(world, target, phone === 'same' ? { ...habits, deviceToken } : habits);
    visits.push(visit);
    if (visit.tokens) ({ deviceToken } = visit.tokens);
  }
}
