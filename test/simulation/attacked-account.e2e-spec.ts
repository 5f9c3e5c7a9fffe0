import { harness } from '../helpers/app.js';
import { type AttackedAccount, type Case, simulateAttacks } from '../helpers/simulation/attacked-accounts.js';
import { byMoving, hoarding, inBursts, patiently, withoutPause } from '../helpers/simulation/attackers.js';
import { longestWait } from '../helpers/simulation/people.js';
import { duration, percent, report } from '../helpers/simulation/report.js';
import { scaled, SIMULATION_TIMEOUT } from '../helpers/simulation/scale.js';

// What is judged is what protects one number: the service-wide rule would help it, since all are attacked at once.
const NO_SERVICE_RULE = {
  SERVICE_FAILURES_PER_HOUR: '1000000000',
  SERVICE_FAILURES_PER_DAY: '1000000000',
};

const YEAR = 365;
/** Days of what shows little more in a year: what it adds are guesses at eight digits, or the same again each month. */
const MONTH = scaled({ full: YEAR, test: 32 });

const CASES: Case[] = [
  { strategy: 'every text, 3 guesses', phone: 'same', days: YEAR, attack: withoutPause() },
  { strategy: 'every text, 2 guesses', phone: 'new', days: MONTH, attack: withoutPause({ guesses: 2 }) },
  { strategy: 'bound codes, 3 guesses', phone: 'new', days: MONTH, attack: withoutPause({ isBound: true }) },
  { strategy: '4 digits, then a month of rest', phone: 'same', days: YEAR, attack: patiently({ digits: 4 }) },
  { strategy: '4 and 6 digits, then rest', phone: 'new', days: YEAR, attack: patiently({ digits: 6 }) },
  { strategy: 'five codes side by side, then rest', phone: 'same', days: YEAR, attack: hoarding },
  { strategy: 'twenty clients at once, then rest', phone: 'same', days: YEAR, attack: inBursts },
  { strategy: 'as codes to move an account, then rest', phone: 'same', days: YEAR, attack: byMoving },
  {
    strategy: 'the owner’s code, 2 guesses before it is typed',
    phone: 'unbound',
    days: YEAR,
    race: { guesses: 2, digits: 4 },
  },
  {
    strategy: 'the same with 3 guesses, and codes of their own',
    phone: 'unbound',
    days: YEAR,
    attack: patiently({ digits: 6 }),
    race: { guesses: 3, digits: 6 },
  },
  {
    strategy: 'by who once had the phone, 4 digits',
    phone: 'same',
    days: YEAR,
    attack: patiently({ digits: 4, isBound: true }),
    hadPhone: true,
  },
];

afterAll(() => harness.closeApps());

function table(accounts: readonly AttackedAccount[]): unknown[][] {
  return accounts.map(({ strategy, phone, days, ledger, visits }) => [
    strategy,
    phone,
    days,
    ...[4, 6, 8].map((length) => ledger.at(length)),
    percent(ledger.odds()),
    visits.filter(({ tokens }) => tokens).length,
    [...new Set(visits.flatMap(({ refusals }) => refusals))].join(', ') || 'none',
    duration(longestWait(visits)),
  ]);
}

const COLUMNS = [
  'attack',
  'owner’s phone',
  'days',
  'guesses at 4 digits',
  '6 digits',
  '8 digits',
  'odds of a takeover',
  'owner’s sign-ins',
  'owner’s refusals',
  'longest wait',
];

describe('an account that is attacked for a year, while its owner signs in each day', () => {
  let accounts: AttackedAccount[];
  beforeAll(async () => {
    accounts = await simulateAttacks(CASES, NO_SERVICE_RULE);
    report('One account, attacked for a year', COLUMNS, table(accounts));
  }, SIMULATION_TIMEOUT);

  it('is taken over with odds below 1 %, by every strategy', () => {
    for (const { strategy, ledger } of accounts)
      expect([strategy, ledger.odds() < 0.01]).toEqual([strategy, true]);
  });

  it('lets its owner in each day', () => {
    for (const { strategy, visits, days } of accounts) {
      expect([strategy, visits.filter(({ tokens }) => tokens).length]).toEqual([strategy, days]);
    }
  });

  it('never refuses its owner on the phone of before, nor sends it a longer code', () => {
    const visits = accounts.filter(({ phone }) => phone === 'same').flatMap((account) => account.visits);
    expect(new Set(visits.flatMap(({ refusals }) => refusals))).toEqual(new Set());
    expect(new Set(visits.flatMap(({ lengths }) => lengths))).toEqual(new Set([4]));
  });
});
