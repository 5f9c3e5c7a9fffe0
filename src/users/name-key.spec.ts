import { nameKeyOf } from './name-key.js';

describe('nameKeyOf', () => {
  it.each([
    ['Ana Pérez', 'ana perez'],
    ['ANA PE\u0301REZ', 'ana perez'],
    ['Łukasz Žižka', 'łukasz zizka'],
    ['İpek Işık', 'ipek isık'],
    ['ΓΙΏΡΓΟΣ', 'γιωργοσ'],
    ['Γιώργος', 'γιωργοσ'],
    ['Алексей', 'алексеи'],
    ['مُحَمَّد', 'محمد'],
    ['रीमा', 'रीमा'],
    ['क्\u200dष', 'क्ष'],
    ['ｱﾅ', 'アナ'],
  ])('of %s is %s', (name, key) => {
    expect(nameKeyOf(name)).toBe(key.normalize('NFKD').replace(/[\u0300-\u036f]/g, ''));
  });

  it.each(['ΑΣΤΕΡΙΑΣ ΠΑΠΠΑΣ', 'Ana Pérez', 'Straße', '王小明', '김민수', 'Nguyễn Văn An'])(
    'of each beginning of %s is the beginning of its own',
    (name) => {
      const characters = Array.from(name);
      for (let length = 1; length <= characters.length; length += 1) {
        const beginning = characters.slice(0, length).join('');
        expect(nameKeyOf(name).startsWith(nameKeyOf(beginning))).toBe(true);
      }
    },
  );
});
