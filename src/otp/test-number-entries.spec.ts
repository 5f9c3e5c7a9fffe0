import { readTestNumbers } from './test-number-entries.js';

const now = new Date('2026-03-01T15:30:00.000Z');

const read = (entries: string[], minLength = 4) => readTestNumbers(entries, { now, minLength });
const faultsOf = (entry: string, minLength?: number) => read([entry], minLength).faults;

describe('readTestNumbers', () => {
  it('reads numbers as people write them, fictional ones too', () => {
    const { numbers, faults, warnings } = read([
      '+1 (555) 555-0100=1234@2026-04-30',
      '+55 11 98765-4321=00012345@2026-03-02',
    ]);
    expect([faults, warnings]).toEqual([[], []]);
    expect([...numbers]).toEqual([
      ['+15555550100', { code: '1234', expiresAt: new Date('2026-05-01T00:00:00.000Z') }],
      ['+5511987654321', { code: '00012345', expiresAt: new Date('2026-03-03T00:00:00.000Z') }],
    ]);
  });

  it.each([
    ['no number', '=1234@2026-04-30'],
    ['no country code', '5555550100=1234@2026-04-30'],
    ['a country code that there is not', '+05555550100=1234@2026-04-30'],
    ['sixteen digits', '+1555555010012345=1234@2026-04-30'],
    ['letters in the number', '+1555555O100=1234@2026-04-30'],
    ['no code', '+15555550100@2026-04-30'],
    ['an empty code', '+15555550100=@2026-04-30'],
    ['three digits', '+15555550100=123@2026-04-30'],
    ['nine digits', '+15555550100=123456789@2026-04-30'],
    ['digits of another script', '+15555550100=١٢٣٤@2026-04-30'],
    ['a letter in the code', '+15555550100=12a4@2026-04-30'],
    ['no expiry', '+15555550100=1234'],
    ['an empty expiry', '+15555550100=1234@'],
    ['another order of the date', '+15555550100=1234@30-04-2026'],
    ['a day that there is not', '+15555550100=1234@2026-02-30'],
    ['a month that there is not', '+15555550100=1234@2026-13-01'],
    ['a time', '+15555550100=1234@2026-04-30T00:00:00Z'],
    ['a semicolon', '+15555550100=1234@2026-04-30;+15555550101=1234@2026-04-30'],
  ])('refuses %s, and tells nothing of it but its place', (_, entry) => {
    expect(faultsOf(entry)).toEqual(['entry 1 is not']);
  });

  it('refuses a code that is shorter than codes are', () => {
    expect(faultsOf('+15555550100=12345@2026-04-30', 6)).toEqual([
      'entry 1 (+1555*****00) has a code shorter than OTP_LENGTH (6)',
    ]);
    expect(faultsOf('+15555550100=123456@2026-04-30', 6)).toEqual([]);
  });

  it('refuses a number that is there already, however it is written, and though it has expired', () => {
    const { faults } = read([
      '+15555550100=1234@2026-04-30',
      '+15555550101=1234@2026-02-01',
      '+1 555 555 0100=4321@2026-05-30',
      '+1.555.555.0101=1234@2026-05-30',
    ]);
    expect(faults).toEqual([
      'entry 3 (+1555*****00) names a number twice',
      'entry 4 (+1555*****01) names a number twice',
    ]);
  });

  it('takes an expiry to the day a year ahead, and none later', () => {
    expect(faultsOf('+15555550100=1234@2027-03-02')).toEqual([]);
    expect(faultsOf('+15555550100=1234@2027-03-03')).toEqual([
      'entry 1 (+1555*****00) expires more than 366 days ahead',
    ]);
  });

  it('leaves out what has expired, from the day after on, and says so', () => {
    const { numbers, faults, warnings } = read([
      '+15555550100=1234@2026-02-28',
      '+15555550101=1234@2026-03-01',
    ]);
    expect(faults).toEqual([]);
    expect([...numbers.keys()]).toEqual(['+15555550101']);
    expect(warnings).toEqual([
      'OTP_TEST_NUMBERS: entry 1 (+1555*****00) has expired, and is a number like any other',
    ]);
  });
});
