import fc from 'fast-check';

import { chordOf, HALF_CIRCUMFERENCE_M, metresOf } from './earth.js';

describe('chord and distance', () => {
  it.each([
    [0, 0],
    [HALF_CIRCUMFERENCE_M / 3, 1],
    [HALF_CIRCUMFERENCE_M / 2, Math.SQRT2],
    [HALF_CIRCUMFERENCE_M, 2],
  ])('%d m are a chord of %d', (metres, chord) => {
    expect(chordOf(metres)).toBeCloseTo(chord, 12);
    expect(metresOf(chord)).toBeCloseTo(metres, 5);
  });

  it('are each other’s inverse, to a metre even at the other end of the earth', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: HALF_CIRCUMFERENCE_M, noNaN: true }), (metres) => {
        expect(Math.abs(metresOf(chordOf(metres)) - metres)).toBeLessThan(1);
      }),
    );
  });

  it('end at the other end of the earth, whatever rounding says', () => {
    expect(metresOf(2.000_000_000_1)).toBe(HALF_CIRCUMFERENCE_M);
    expect(chordOf(HALF_CIRCUMFERENCE_M * 1.1)).toBe(2);
  });
});
