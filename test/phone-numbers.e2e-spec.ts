import fc from 'fast-check';
import type * as Phone from 'libphonenumber-js/max';
import { createRequire } from 'node:module';

import {
  type Answer,
  aPhoneNumber,
  expectProblem,
  harness,
  problem,
  type SignedInUser,
  tally,
  TestApp,
} from './helpers/app.js';

type Parse = (text: string) => { e164: string; country?: string; type?: string } | undefined;
type Judge = (text: string, countries?: ReadonlySet<string>) => { e164: string; country: string };

// Required, for jest warns of the JSON that its ES module imports.
const require = createRequire(import.meta.url);
const { getCountries, getExampleNumber } = require('libphonenumber-js/max') as typeof Phone;
const examples = require('libphonenumber-js/mobile/examples') as Phone.Examples;

const MANY = { numRuns: 2000 };
const INVALID = { status: 422, code: 'phone_number_invalid' };
const UNSUPPORTED = { status: 422, code: 'phone_number_unsupported' };

let app: TestApp;
let ana: SignedInUser;
let parse: Parse;
let signInNumber: Judge;
beforeAll(async () => {
  app = await TestApp.start();
  ana = await app.signIn();
  ({ parsePhoneNumber: parse } = await harness.load<{ parsePhoneNumber: Parse }>('platform/phone-number.js'));
  ({ signInNumber } = await harness.load<{ signInNumber: Judge }>('otp/number-policy.js'));
});

/** A mobile number of every country there is. */
const mobile = fc.constantFrom(
  ...getCountries().map((country): string => getExampleNumber(country, examples)!.number),
);
const separators = fc.stringMatching(/^[ .()-]{0,3}$/);
/** The number as people might write it: any separators between any two characters, any blanks around it. */
const written = (e164: string) =>
  fc
    .tuple(
      fc.stringMatching(/^[ \t\n\u00a0]{0,2}$/),
      fc.array(separators, { minLength: e164.length + 1, maxLength: e164.length + 1 }),
      fc.stringMatching(/^[ \t\n\u00a0]{0,2}$/),
    )
    .map(([before, between, after]) => {
      const inside = e164.replace(/./g, (character, index: number) => between[index]! + character);
      return before + inside + between.at(-1)! + after;
    });

describe('a phone number', () => {
  it('is read however it is decorated', () => {
    const decorated = mobile.chain((e164) => fc.tuple(fc.constant(e164), written(e164)));
    fc.assert(
      fc.property(decorated, ([e164, text]) => {
        expect(parse(text)?.e164).toBe(e164);
      }),
      MANY,
    );
  });

  it('is read from its own E.164 form as itself', () => {
    const digits = fc.stringMatching(/^\+[1-9][0-9]{5,15}$/);
    fc.assert(
      fc.property(fc.oneof(digits, mobile.chain(written)), (text) => {
        const number = parse(text);
        if (!number) return;
        expect(JSON.stringify(parse(number.e164))).toBe(JSON.stringify(number));
      }),
      MANY,
    );
  });

  it('may sign in if it is a mobile one, whatever its country', () => {
    for (const country of getCountries()) {
      const e164 = getExampleNumber(country, examples)!.number;
      const number = { e164, country: parse(e164)!.country! };
      expect(signInNumber(e164)).toEqual(number);
      expect(signInNumber(e164, new Set([number.country]))).toEqual(number);
      expect(() => signInNumber(e164, new Set(['ZZ']))).toThrow('phone_number_unsupported');
    }
  });

  it('holds no other character than plus, digits and separators', () => {
    const strange = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 3 })
      .filter((text) => /[^+0-9 .()-]/.test(text));
    const spoilt = mobile.chain((e164) =>
      fc.tuple(fc.nat({ max: e164.length - 2 }), strange).map(([at, text]) => insert(e164, at + 1, text)),
    );
    fc.assert(
      fc.property(spoilt, (text) => {
        expect(parse(text)).toBeUndefined();
      }),
      MANY,
    );
  });

  it('starts with its only plus', () => {
    const secondPlus = mobile.chain((e164) =>
      fc.nat({ max: e164.length }).map((at) => insert(e164, at, '+')),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          secondPlus,
          mobile.map((e164) => e164.slice(1)),
        ),
        (text) => {
          expect(parse(text)).toBeUndefined();
        },
      ),
      MANY,
    );
  });

  it('is nothing or a number, whatever the text', () => {
    const near = fc.stringMatching(/^[+0-9 .()\-x\u200b\u0661\uff11]{0,40}$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary', maxLength: 200 }), fc.string()), (text) => {
        const number = parse(text);
        expect(number?.e164 ?? '+1').toMatch(/^\+[0-9]+$/);
      }),
      MANY,
    );
  });
});

describe('a phone number in a request', () => {
  it('texts the number in its E.164 form, however it was written', async () => {
    const phone = aPhoneNumber();
    const spelling = ` (${phone.slice(0, 3)}) ${phone.slice(3, 5)}.${phone.slice(5, 10)}--${phone.slice(10)}\n`;
    expect(await app.signup(spelling)).toMatchObject({ status: 200, body: { phone_number: phone } });
    expect(await app.texts(phone)).toHaveLength(1);
    const verified = await app.verify(spelling, await app.code(phone));
    expect(verified).toMatchObject({ status: 200, body: { user: { phone_number: phone } } });
  });

  it('moves an account to its E.164 form, however it was written', async () => {
    const ben = await app.signIn();
    const phone = aPhoneNumber();
    const spelling = ` (${phone.slice(0, 3)}) ${phone.slice(3, 8)} ${phone.slice(8)}`;
    const asked = await app.post('/api/auth/phone-number', { phone_number: spelling }, ben.bearer);
    expect(asked).toMatchObject({ status: 200, body: { phone_number: phone } });
    const guess = { phone_number: spelling, otp_code: await app.code(phone) };
    const moved = await app.post('/api/auth/phone-number/verify', guess, ben.bearer);
    expect(moved).toMatchObject({ status: 200, body: { user: { phone_number: phone } } });
  });

  it('takes every spelling of a number for that number', async () => {
    const phone = aPhoneNumber();
    const spellings = fc.sample(written(phone), 10);
    const answers = await Promise.all(spellings.map((spelling) => app.signup(spelling)));
    expect(tally(answers)).toEqual({ 200: 1, 429: 9 });
    expect(await app.texts(phone)).toHaveLength(1);
  });

  it.each([
    '',
    ' ',
    '+',
    '()',
    'hello',
    '5511960000000',
    '005511960000000',
    '11960000000',
    '++5511960000000',
    '+55+11960000000',
    '5511960000000+',
    '+55119600',
    '+5511960000000000',
    '+0005511960000',
    '+999123456789',
    '+1 555 555 555',
    '+1 000 000 0000',
    '+55 11 96000 0000 x5',
    '+55 11 96000 0000 ext. 5',
    '+5511960000000;ext=5',
    '+55 11 96000 0000 #5',
    '+55 11 96000/0000',
    '+55 11 96000,0000',
    'tel:+5511960000000',
    '+1 415 555 CALL',
    '＋5511960000000',
    '+５５１１９６０００００００',
    '+٥٥١١٩٦٠٠٠٠٠٠٠',
    '+५५११९६०००००००',
    '+55\u00a011\u00a096000\u00a00000',
    '+55 11 96000–0000',
    '+55 11 96000\u200b0000',
    '\u202a+5511960000000\u202c',
    '+55\t11\t960000000',
    '+55 11\n96000 0000',
    '+5511960000000\u{1f4f1}',
  ])('answers that %j is not a phone number', async (text) => {
    for (const answer of await answersTo(text)) expectProblem(answer, INVALID);
  });

  it('answers that sixty thousand characters are not a phone number', async () => {
    for (const text of [
      '+'.repeat(60_000),
      `+${'5'.repeat(60_000)}`,
      `+55${' '.repeat(60_000)}x`,
      '('.repeat(60_000),
    ]) {
      for (const answer of await answersTo(text)) expectProblem(answer, INVALID);
    }
  });

  it.each([
    ['a landline in London', '+44 20 7946 0018'],
    ['a landline in São Paulo', '+55 11 3071-1234'],
    ['a landline in Berlin', '+49 30 12345678'],
    ['toll-free', '+1 800 253 0000'],
    ['international toll-free', '+800 1234 5678'],
    ['premium', '+1 900 253 0000'],
    ['premium in Britain', '+44 909 879 0000'],
    ['international premium', '+979 123 456 789'],
    ['shared cost', '+49 180 1234567'],
    ['international shared cost', '+808 1234 5678'],
    ['VoIP', '+44 56 1234 5678'],
    ['VoIP in Japan', '+81 50 1234 5678'],
    ['an international network', '+883 5100 12345'],
    ['a personal number', '+44 70 1234 5678'],
    ['a personal number in America', '+1 500 253 0000'],
    ['a pager', '+44 7640 123456'],
    ['a company number', '+44 300 123 1234'],
    ['a satellite phone', '+881 612 345 678'],
    ['a ship', '+870 301 234 567'],
  ])('does not support %s, %s', async (_what, text) => {
    expect(parse(text)).toBeDefined();
    for (const answer of await answersTo(text)) expectProblem(answer, UNSUPPORTED);
  });

  it('supports the numbers of the countries that are allowed, and no other', async () => {
    const own = await TestApp.start({ env: { SMS_ALLOWED_COUNTRIES: 'BR, US' } });
    const american = '+1 415 555 2671';
    const ben = await own.signIn();
    expect((await own.signup(american)).status).toBe(200);
    // Canada shares +1 with the United States.
    for (const text of ['+1 416 555 2671', '+351 912 345 678', '+881 612 345 678']) {
      for (const answer of await answersTo(text, own, ben)) expectProblem(answer, UNSUPPORTED);
    }
    expect((await own.verify(american, '4821')).body).not.toEqual(problem('phone_number_unsupported'));
    expectProblem(await own.signup('+1 416 555'), INVALID);
  });

  it('keeps nothing of a number that it refuses', async () => {
    const counts = () =>
      app.sql(
        `SELECT (SELECT count(*) FROM phone_limits), (SELECT count(*) FROM phone_otps) AS codes,
           (SELECT phone_changes_asked_at FROM users WHERE id = $1) AS asked_at`,
        [ana.id],
      );
    const before = await counts();
    for (const answer of await answersTo('+55 11 3071-4321')) expectProblem(answer, UNSUPPORTED);
    for (const answer of await answersTo('+55 11 3071')) expectProblem(answer, INVALID);
    expect(await counts()).toEqual(before);
  });
});

/** What is answered to a number in every field of that name. */
function answersTo(text: string, at = app, { bearer } = ana): Promise<Answer[]> {
  const guess = { phone_number: text, otp_code: '4821' };
  return Promise.all([
    at.signup(text),
    at.verify(text, '4821'),
    at.post('/api/auth/phone-number', { phone_number: text }, bearer),
    at.post('/api/auth/phone-number/verify', guess, bearer),
  ]);
}

function insert(text: string, at: number, inserted: string): string {
  return text.slice(0, at) + inserted + text.slice(at);
}
