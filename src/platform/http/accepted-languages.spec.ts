import fc from 'fast-check';

import { acceptedLanguages } from './accepted-languages.js';

describe('acceptedLanguages', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['pt-BR', ['pt-BR']],
    ['pt-br,pt;q=0.9,en;q=0.8', ['pt-BR', 'pt', 'en']],
    ['en;q=0.2, fr;q=0.7 , hi', ['hi', 'fr', 'en']],
    ['en;q=0.5,fr;q=0.5', ['en', 'fr']],
    ['fr;Q=0.5,en ; q=1.000', ['en', 'fr']],
    ['*', []],
    ['de;q=0, *;q=0.5, es;q=0.001', ['es']],
    ['en;q=2, fr', ['fr']],
    ['en;q=0.1234, fr', ['fr']],
    ['en;q=, fr;level=1, pt_BR, ../../etc, <script>, es', ['es']],
    ['a'.repeat(16_000), []],
    [`en${'-abcdefgh'.repeat(1000)}, es`, ['es']],
  ])('of %j are %j', (header, languages) => {
    expect(acceptedLanguages(header)).toEqual(languages);
  });

  it('are those of the first twenty entries', () => {
    const header = [...Array<string>(19).fill('x y'), 'fr', 'es'].join();
    expect(acceptedLanguages(header)).toEqual(['fr']);
  });

  it('are language tags whatever the header is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('aenpt-,;q=0.1* \t_')), maxLength: 60 }),
        (header) => {
          const languages = acceptedLanguages(header);
          expect(Intl.getCanonicalLocales(languages).length).toBe(new Set(languages).size);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
