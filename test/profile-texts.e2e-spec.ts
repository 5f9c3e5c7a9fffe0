import fc from 'fast-check';

import { type SignedInUser, TestApp } from './helpers/app.js';
import { patch } from './helpers/profile.js';

let app: TestApp;
let user: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  user = await app.signIn();
});

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const lengthOf = (text: string): number => [...graphemes.segment(text)].length;
const shown = (text: string): string => text.replace(/\r\n?/g, '\n').trim().normalize('NFC');

const letters = fc.constantFrom(
  ...Array.from('aZéßñøłçāőж'),
  'ش',
  'כ',
  'क',
  'த',
  '李',
  '김',
  '𠮷',
  '𐍈',
  'e\u0301',
  'ก็',
);
const separators = fc.constantFrom(' ', '-', "'", '’', '.', '\u2010');
const others = fc.constantFrom(...Array.from('0_@!?/<>&"'), '🎉', '\u200b', '\u00ad', '٣', '€');
const harmful = fc.constantFrom('\u0007', '\u001b', '\u009f', '\u202e', '\u2066', '\u202a');
const characters = fc.oneof(letters, separators, fc.constantFrom('🎉', '👨‍👩‍👧‍👦', '🇵🇹', '\n', '\u200f', '\u0301'));

describe('a name', () => {
  it('is good with 2 to 100 letters of any script and what stands between them', async () => {
    const names = fc.array(fc.oneof({ weight: 5, arbitrary: letters }, separators), {
      minLength: 1,
      maxLength: 110,
    });
    await fc.assert(
      fc.asyncProperty(names, async (parts) => {
        const name = shown(parts.join(''));
        const isGood = lengthOf(name) >= 2 && lengthOf(name) <= 100 && /\p{L}/u.test(name);
        const answer = await patch(app, user, { name: parts.join('') });
        expect(answer.status).toBe(isGood ? 200 : 422);
        if (isGood) expect(answer.body.name).toBe(name);
      }),
      { numRuns: 150 },
    );
  });

  it('is refused for one character that no name has', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(letters, { minLength: 2, maxLength: 20 }),
        fc.oneof(others, harmful),
        fc.nat(),
        async (parts, bad, at) => {
          // Not at the ends, where a space would be trimmed.
          const place = 1 + (at % (parts.length - 1));
          const name = [...parts.slice(0, place), bad, ...parts.slice(place)].join('');
          const { status, body } = await patch(app, user, { name });
          expect([status, body.errors[0].field]).toEqual([422, 'name']);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe.each([
  ['bio', 500, true],
  ['location', 100, false],
])('a %s', (field, max, multiline) => {
  it('comes back as it was written, trimmed and in NFC, or is refused for its length or its characters', async () => {
    const texts = fc
      .tuple(
        fc.array(fc.oneof({ weight: 60, arbitrary: characters }, harmful), { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
      )
      .map(([parts, times]) => parts.join('').repeat(times));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const expected = shown(text);
        const isSafe =
          !/[\u0007\u001b\u009f\u202e\u2066\u202a]/.test(expected) && (multiline || !expected.includes('\n'));
        const answer = await patch(app, user, { [field]: text });
        if (isSafe && lengthOf(expected) <= max) {
          expect([answer.status, answer.body[field]]).toEqual([200, expected || null]);
        } else {
          expect(answer.status).toBe(422);
          const codes = answer.body.errors.map(({ code }: { code: string }) => code);
          expect(codes.includes('unsafe_text')).toBe(!isSafe);
          expect(codes.includes('too_long')).toBe(lengthOf(expected) > max);
        }
      }),
      { numRuns: 150 },
    );
  });
});
