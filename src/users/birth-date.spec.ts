import fc from 'fast-check';

import { ageOn } from './age-on.js';
import { birthDateFault } from './birth-date.js';

const day = (date: Date): string => date.toISOString().slice(0, 10);
const days = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2100-12-31'), noInvalidDate: true })
  .map(day);

describe('birthDateFault', () => {
  it.each([
    ['the sixteenth birthday', '2026-11-23', '2010-11-23', undefined],
    ['the day before it', '2026-11-23', '2010-11-24', 'out_of_range'],
    ['the last day at 120', '2026-11-23', '1905-11-24', undefined],
    ['the day at 121', '2026-11-23', '1905-11-23', 'out_of_range'],
    ['29 February, on the 28th sixteen years on', '2028-02-28', '2012-02-29', 'out_of_range'],
    ['29 February, on the 29th sixteen years on', '2028-02-29', '2012-02-29', undefined],
    ['29 February, on 28 February of a common year', '2029-02-28', '2012-02-29', undefined],
    ['29 February of a common year', '2026-11-23', '2001-02-29', 'format'],
    ['29 February of 1900, which was none', '2026-11-23', '1900-02-29', 'format'],
    ['29 February of 2000, which was one', '2026-11-23', '2000-02-29', undefined],
    ['31 April', '2026-11-23', '2000-04-31', 'format'],
    ['a day to come', '2026-11-23', '2027-01-01', 'out_of_range'],
  ])('judges %s', (_, today, birthDate, code) => {
    expect(birthDateFault(birthDate, today)?.code).toBe(code);
  });

  it('takes a real date at an age of 16 to 120, and no other', () => {
    fc.assert(
      fc.property(days, days, (today, birthDate) => {
        const age = ageOn(today, birthDate);
        expect(birthDateFault(birthDate, today)?.code).toBe(
          age >= 16 && age <= 120 ? undefined : 'out_of_range',
        );
      }),
    );
  });

  it('takes no other text for a date', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/)), (text) => {
        const [year = 0, month = 0, date = 0] = text.split('-').map(Number);
        const isReal =
          /^\d{4}-\d{2}-\d{2}$/.test(text) &&
          month >= 1 &&
          month <= 12 &&
          date >= 1 &&
          date <= lastOf(year, month);
        expect(birthDateFault(text, '2026-11-23')?.code === 'format').toBe(!isReal);
      }),
      { numRuns: 500 },
    );
  });
});

function lastOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}
