import { randomCodes } from './code-generator.js';

describe('randomCodes', () => {
  it.each([4, 5, 6, 7, 8])('makes %d digits, leading zeros included', (length) => {
    for (let round = 0; round < 200; round += 1) {
      expect(randomCodes.generate(length)).toMatch(new RegExp(`^[0-9]{${length}}$`));
    }
  });

  it('makes each digit about as often in each place', () => {
    const rounds = 20_000;
    const counts = Array.from({ length: 4 }, () => new Array<number>(10).fill(0));
    for (let round = 0; round < rounds; round += 1) {
      const code = randomCodes.generate(4);
      for (let place = 0; place < 4; place += 1) counts[place]![Number(code[place])]! += 1;
    }
    // Six standard deviations: it fails by chance less than once in ten million runs.
    const slack = 6 * Math.sqrt(rounds * 0.1 * 0.9);
    for (const count of counts.flat()) expect(Math.abs(count - rounds / 10)).toBeLessThan(slack);
  });
});
