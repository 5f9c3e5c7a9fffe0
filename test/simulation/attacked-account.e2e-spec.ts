import { harness } from '../helpers/app.js';
import { type AttackedAccount, type Case, simulateAttacks } from '../helpers/simulation/attacked-accounts.js';
import {
  byMoving,
  hoarding,
  inBothLanes,
  inBursts,
  patiently,
  withoutPause,
} from '../helpers/simulation/attackers.js';
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

/** Each of these uses up the number's texts of every day, from any number of addresses. */
const WITHOUT_REST: Case[] = [
  { strategy: 'every text, 3 guesses', phone: 'same', days: MONTH, attack: withoutPause() },
  { strategy: 'every text, 2 guesses', phone: 'same', days: MONTH, attack: withoutPause({ guesses: 2 }) },
  { strategy: 'bound codes, 3 guesses', phone: 'new', days: MONTH, attack: withoutPause({ isBound: true }) },
];
const WITH_RESTS: Case[] = [
  { strategy: '4 digits, then rest', phone: 'same', days: MONTH, attack: patiently({ digits: 4 }) },
  { strategy: '4 and 6 digits, then rest', phone: 'new', days: YEAR, attack: patiently({ digits: 6 }) },
  { strategy: 'five codes side by side, then rest', phone: 'same', days: YEAR, attack: hoarding },
  { strategy: 'twenty clients at once, then rest', phone: 'same', days: MONTH, attack: inBursts },
  { strategy: 'codes to move an account, then rest', phone: 'same', days: MONTH, attack: byMoving },
  {
    strategy: 'the owner’s code, 2 guesses before it is typed',
    phone: 'unbound',
    days: MONTH,
    race: { guesses: 2, digits: 4 },
  },
  {
    strategy: 'the owner’s code, 3 guesses, and codes of their own',
    phone: 'unbound',
    days: YEAR,
    attack: patiently({ digits: 6 }),
    race: { guesses: 3, digits: 4 },
  },
];

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

afterEach(() => harness.closeApps());

function rowOf({ strategy, phone, days, ledger, visits }: AttackedAccount): unknown[] {
  const refusals = new Set(visits.flatMap((visit) => visit.refusals));
  return [
    strategy,
    phone ?? 'away',
    days,
    ...[4, 6, 8].map((length) => ledger.at(length)),
    percent(ledger.odds()),
    daysSignedIn({ visits }),
    [...refusals].join(', ') || 'none',
    duration(visits.length > 0 ? longestWait(visits) : 0),
  ];
}

function daysSignedIn({ visits }: Pick<AttackedAccount, 'visits'>): number {
  return visits.filter(({ tokens }) => tokens).length;
}

describe('an account that is attacked all the time, while its owner signs in each day', () => {
  let [withoutRest, withRests]: [AttackedAccount[], AttackedAccount[]] = [[], []];
  beforeAll(async () => {
    const accounts = await simulateAttacks([...WITHOUT_REST, ...WITH_RESTS], NO_SERVICE_RULE);
    report('One account that is attacked', COLUMNS, accounts.map(rowOf));
    withoutRest = accounts.slice(0, WITHOUT_REST.length);
    withRests = accounts.slice(WITHOUT_REST.length);
  }, SIMULATION_TIMEOUT);

  it('is taken over with odds below 1 % a year, by every strategy', () => {
    for (const { strategy, ledger } of [...withoutRest, ...withRests]) {
      expect([strategy, ledger.odds() < 0.01]).toEqual([strategy, true]);
    }
  });

  it('never refuses its owner on the phone of before, nor sends it a longer code', () => {
    const accounts = [...withoutRest, ...withRests].filter(({ phone }) => phone === 'same');
    for (const account of accounts) {
      expect([account.strategy, daysSignedIn(account)]).toEqual([account.strategy, account.days]);
    }
    const visits = accounts.flatMap((account) => account.visits);
    expect(new Set(visits.flatMap(({ refusals }) => refusals))).toEqual(new Set());
    expect(new Set(visits.flatMap(({ lengths }) => lengths))).toEqual(new Set([4]));
  });

  it('lets its owner in each day on any phone, unless its texts of the day are used up', () => {
    for (const account of withRests) {
      expect([account.strategy, daysSignedIn(account)]).toEqual([account.strategy, account.days]);
    }
  });
});

describe('an account that is attacked by who once had the phone', () => {
  it(
    'is guarded in the lane of that device as in that of everybody',
    async () => {
      const accounts = await simulateAttacks(
        [{ strategy: 'both lanes, 4 digits', days: YEAR, attack: inBothLanes, hadPhone: true }],
        NO_SERVICE_RULE,
      );
      report('One account that is attacked by who once had the phone', COLUMNS, accounts.map(rowOf));
      expect(accounts[0]?.ledger.odds()).toBeLessThan(0.016);
    },
    SIMULATION_TIMEOUT,
  );
});

describe('an account whose codes do not grow', () => {
  it(
    'is taken over with odds of 0.91 % a year',
    async () => {
      const accounts = await simulateAttacks(
        [{ strategy: 'OTP_ESCALATION=off', days: YEAR, attack: withoutPause() }],
        { ...NO_SERVICE_RULE, OTP_ESCALATION: 'off' },
      );
      report('One account that is attacked, whose codes do not grow', COLUMNS, accounts.map(rowOf));
      const odds = accounts[0]?.ledger.odds() ?? 1;
      expect(odds).toBeGreaterThan(0.0085);
      expect(odds).toBeLessThan(0.0091);
    },
    SIMULATION_TIMEOUT,
  );
});
