import type { SmsPurpose } from '../../sms/sms-sender.js';
import { fill, templateFaults } from './template.js';

const VALUES = { app: 'Latchkey 24', minutes: '10 minutes' };

describe('templateFaults', () => {
  const only = (fault: string) => [expect.stringContaining(fault)];
  const GOOD: [string, SmsPurpose][] = [
    ['{code} is your {app} code. It expires in {minutes}.', 'sign_in'],
    ['{code}', 'phone_change'],
    ['{code}是{app}的验证码。', 'sign_in'],
    ['{code}: Ihr Code, 24h/7 Tage. z.B. für {app}', 'sign_in'],
    ['{code} कोड, क्\u200dष', 'sign_in'],
    ['Your {app} account has moved.', 'phone_change_notice'],
  ];
  it.each(GOOD)('finds none in %j for %s', (template, purpose) => {
    expect(templateFaults(template, purpose, VALUES)).toEqual([]);
  });

  it.each([
    ['Your code is ready', 'must hold {code} once'],
    ['{code} is {code}', 'must hold {code} once'],
    ['Your code is {code}', 'must start with {code}'],
    [' {code} is yours', 'must start with {code}'],
    ['{code}5 is yours', 'needs a space after {code}'],
    ['{code}{minutes} is yours', 'needs a space after {code}'],
    ['{code}is yours', 'needs a space after {code}'],
    ['{code}é o seu', 'needs a space after {code}'],
    ['{code} for {name}', 'no braces but those of {code}, {app}, {minutes}'],
    ['{code} { }', 'no braces but'],
    ['{code} {APP}', 'no braces but'],
    ['{code} {__proto__}', 'no braces but'],
    ['{code} is yours\n@evil #1', 'a line break'],
    ['{code} is\u202e yours', 'a line break, or another character that nobody sees'],
    ['{code} is\u200f yours', 'nobody sees'],
    ['{code} is\u200b yours', 'nobody sees'],
    ['{code} is \ud83d yours', 'nobody sees'],
    ['{code} is\u0000 yours', 'nobody sees'],
    ['{code} see https://example.com/x', 'a link: https://example.com/x'],
    ['{code} see www.example', 'a link: www.example'],
    ['{code} see example.com', 'a link: example.com'],
    ['{code} for {app}.com', 'a link: 24.com'],
    ['{code} is your code.{app}', 'a link: code.Latchkey'],
    ['{code} is yours.Thanks', 'a link: yours.Thanks'],
    ['{code} since 1984', 'take for the code: 1984'],
    ['{code} since 12{minutes}', 'take for the code: 1210'],
    ['{code} is for {app}7{minutes}', 'take for the code: 24710'],
    ['{code} \u0661\u0669\u0668\u0664', 'take for the code'],
  ])('finds one in %j', (template, fault) => {
    expect(templateFaults(template, 'sign_in', VALUES)).toEqual(only(fault));
  });

  it('finds no code in a notice', () => {
    expect(templateFaults('{code} {app}', 'phone_change_notice', VALUES)).toEqual(
      only('may hold no braces but those of {app}'),
    );
    expect(templateFaults(' ', 'phone_change_notice', VALUES)).toEqual(only('is empty'));
  });

  it('finds all of them', () => {
    expect(templateFaults('Code {code}: https://a.example 12345 {x}\n', 'sign_in', VALUES)).toHaveLength(5);
  });
});

describe('fill', () => {
  it('puts each value in, and nothing into a value', () => {
    expect(fill('{code} {app} {minutes} {app}', { app: '{minutes}', minutes: '$& 10' })).toBe(
      '{code} {minutes} $& 10 {minutes}',
    );
  });
});
