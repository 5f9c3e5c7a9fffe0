import { masked } from './masked.js';

const message = { to: '+14155552671', otpCode: '4821' };

describe('masked', () => {
  it.each([
    ["The 'To' number +14155552671 is not valid.", "The 'To' number +1415*****71 is not valid."],
    ['to=%2B14155552671&x=1', 'to=%2B1415*****71&x=1'],
    ['4821 is your Latchkey code.', '**** is your Latchkey code.'],
    ["From +15005550006 can't text", "From +**** can't text"],
    ['No service MG00000000001234', 'No service MG00000000001234'],
    ['two\nlines\u0000here', 'two lines here'],
  ])('%j reads %j', (text, expected) => {
    expect(masked(text, message)).toBe(expected);
  });

  it('finds the number where the code is part of it', () => {
    expect(masked('4155 for +14155552671', { ...message, otpCode: '4155' })).not.toContain('552671');
  });

  it('is short', () => {
    expect(masked('x'.repeat(1000), message)).toHaveLength(300);
  });
});
