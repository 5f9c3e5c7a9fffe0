import fc from 'fast-check';

import { isSlug, MAX_SLUG_LENGTH, slugOf } from './slug.js';

describe('slugOf', () => {
  it.each([
    ['Board games', 'board-games'],
    ['iOS development', 'ios-development'],
    ['Rock ’n’ roll', 'rock-n-roll'],
    ['Crème brûlée', 'creme-brulee'],
    ['Straße', 'strasse'],
    ['Пешие походы', 'peshie-pokhody'],
    ['Ελληνικοί χοροί', 'ellinikoi-xoroi'],
    ['رقص شعبي', 'rqs-sheby'],
    ['Đờn ca tài tử', 'don-ca-tai-tu'],
    ['日本 tea', 'tea'],
  ])('makes of %s %s', (name, slug) => {
    expect(slugOf(name, 1)).toBe(slug);
    expect(slugOf(name, 2)).toBe(`${slug}-2`);
  });

  it.each(['中国书法', 'हिन्दी कविता', '한국 음악', '🎉🎉', '!', '-'])(
    'makes of %s, which it cannot write in Latin, a new one at each attempt',
    (name) => {
      const slugs = [1, 2, 3].map((attempt) => slugOf(name, attempt));
      expect(new Set(slugs).size).toBe(3);
      for (const slug of slugs) expect(slug).toMatch(/^interest-[0-9a-f]{8}$/);
    },
  );

  it('never makes one that looks like an id', () => {
    const id = '0192a000-0000-7000-8000-000000000001';
    expect(slugOf(id, 1)).toBe(`interest-${id}`);
    expect(slugOf(id.toUpperCase(), 2)).toBe(`interest-${id}-2`);
  });

  it('makes a good slug of any text, at any attempt', () => {
    const attempts = fc.integer({ min: 1, max: 9_999_999 });
    const names = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 960 }), fc.uuid());
    fc.assert(fc.property(names, attempts, (name, attempt) => isSlug(slugOf(name, attempt))));
  });
});

describe('isSlug', () => {
  it.each(['a', '9', 'live-music', 'a'.repeat(MAX_SLUG_LENGTH), '0192a000'])('takes %s', (text) => {
    expect(isSlug(text)).toBe(true);
  });

  it.each([
    '',
    '-',
    'a-',
    '-a',
    'a--b',
    'A',
    'a b',
    'a_b',
    'é',
    'a\n',
    'a'.repeat(MAX_SLUG_LENGTH + 1),
    '0192a000-0000-7000-8000-000000000001',
  ])('refuses %j', (text) => {
    expect(isSlug(text)).toBe(false);
  });
});
