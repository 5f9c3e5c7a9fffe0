import fc from 'fast-check';

import { outsideGsm7, segmentUse } from './segment.js';

// Each row of the table of 3GPP TS 23.038, 6.2.1, by the code of its first character; '\x1b' is the escape.
const ROWS = [
  '@£$¥èéùìòÇ\nØø\rÅå',
  'Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ',
  ' !"#¤%&\'()*+,-./',
  '0123456789:;<=>?',
  '¡ABCDEFGHIJKLMNO',
  'PQRSTUVWXYZÄÖÑÜ§',
  '¿abcdefghijklmno',
  'pqrstuvwxyzäöñüà',
];
const ESCAPED: Record<number, string> = {
  0x0a: '\f',
  0x14: '^',
  0x28: '{',
  0x29: '}',
  0x2f: '\\',
  0x3c: '[',
  0x3d: '~',
  0x3e: ']',
  0x40: '|',
  0x65: '€',
};

/** The septets of a text as the standard writes them. */
function encode(text: string): number[] | undefined {
  const septets: number[] = [];
  for (const character of text) {
    const escaped = Object.entries(ESCAPED).find(([, meant]) => meant === character);
    const code = character === '\x1b' ? -1 : ROWS.join('').indexOf(character);
    if (escaped) septets.push(0x1b, Number(escaped[0]));
    else if (code >= 0) septets.push(code);
    else return undefined;
  }
  return septets;
}

const inTable = fc.constantFrom(...Array.from(ROWS.join('').replace('\x1b', '')), ...Object.values(ESCAPED));
const texts = fc.oneof(
  fc.string({ unit: inTable, maxLength: 400 }),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: fc.oneof({ weight: 30, arbitrary: inTable }, { weight: 1, arbitrary: fc.string() }) }),
);

describe('segmentUse', () => {
  it('is that of the standard, for any text', () => {
    expect(ROWS.map((row) => row.length)).toEqual(Array(8).fill(16));
    fc.assert(
      fc.property(texts, (text) => {
        const septets = encode(text);
        const size = septets?.length ?? text.length;
        const limit = septets ? 160 : 70;
        expect(segmentUse(text)).toEqual({
          encoding: septets ? 'GSM-7' : 'UCS-2',
          size,
          excess: size > limit ? size - limit : 0,
        });
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a'.repeat(160), 'GSM-7', 160, 0],
    ['a'.repeat(161), 'GSM-7', 161, 1],
    [`${'a'.repeat(159)}€`, 'GSM-7', 161, 1],
    ['[]{}'.repeat(20), 'GSM-7', 160, 0],
    ['ó'.repeat(70), 'UCS-2', 70, 0],
    [`${'a'.repeat(70)}ç`, 'UCS-2', 71, 1],
    ['Ç', 'GSM-7', 1, 0],
    ['`', 'UCS-2', 1, 0],
    ['’', 'UCS-2', 1, 0],
    ['🔑', 'UCS-2', 2, 0],
    ['', 'GSM-7', 0, 0],
  ])('%j is %s, %d units, %d too many', (text, encoding, size, excess) => {
    expect(segmentUse(text)).toEqual({ encoding, size, excess });
  });

  it('says which characters are not in GSM-7, each once', () => {
    expect(outsideGsm7('Não há pão, é só água 🔑')).toEqual(['ã', 'á', 'ó', '🔑']);
  });
});
