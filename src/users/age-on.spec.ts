import { ageOn } from './age-on.js';

describe('ageOn', () => {
  it.each([
    ['2026-11-23', '2010-11-23', 16],
    ['2026-11-23', '2010-11-24', 15],
    ['2026-01-01', '2009-12-31', 16],
    ['2027-02-28', '2008-02-29', 18],
    ['2027-03-01', '2008-02-29', 19],
    ['2028-02-29', '2008-02-29', 20],
  ])('on %s, who was born on %s is %d', (day, birthDate, age) => {
    expect(ageOn(day, birthDate)).toBe(age);
  });
});
