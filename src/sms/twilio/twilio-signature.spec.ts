import { createHmac } from 'node:crypto';

import { isSignedByTwilio } from './twilio-signature.js';

// The example of https://www.twilio.com/docs/usage/webhooks/webhooks-security
const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
const signature = '0/KCTR6DLpKmkAf8muzZqo1nDgQ=';
const form = new URLSearchParams({
  CallSid: 'CA1234567890ABCDE',
  Caller: '+12349013030',
  Digits: '1234',
  From: '+12349013030',
  To: '+18005551212',
});

describe('isSignedByTwilio', () => {
  it('knows the documented example', () => {
    expect(isSignedByTwilio(['12345'], { signature, url, form })).toBe(true);
  });

  it('tries each token of a rotation', () => {
    expect(isSignedByTwilio(['67890', '12345'], { signature, url, form })).toBe(true);
    expect(isSignedByTwilio(['67890', '54321'], { signature, url, form })).toBe(false);
    expect(isSignedByTwilio([], { signature, url, form })).toBe(false);
  });

  it.each([
    ['no signature', { signature: undefined }],
    ['an empty one', { signature: '' }],
    ['two', { signature: [signature, signature] }],
    ['one of another length', { signature: `${signature}=` }],
    ['one with a letter changed', { signature: signature.replace('0', '1') }],
    ['another query', { url: url.replace('bar=2', 'bar=3') }],
    ['another host', { url: url.replace('mycompany', 'yourcompany') }],
    ['another scheme', { url: url.replace('https', 'http') }],
    ['a field more', { form: new URLSearchParams([...form, ['MessageStatus', 'delivered']]) }],
    ['a field less', { form: new URLSearchParams([...form].slice(1)) }],
    [
      'a value changed',
      { form: new URLSearchParams([...form].map(([k, v]) => [k, v.replace('1234', '4321')])) },
    ],
  ])('refuses %s', (_, changed) => {
    expect(isSignedByTwilio(['12345'], { signature, url, form, ...changed })).toBe(false);
  });

  it('takes values of one name once each, sorted, and names in the order of their bytes', () => {
    const repeated = new URLSearchParams('b=2&a=3&b=1&b=2&B=4&__proto__=5');
    const text = `${url}B4__proto__5a3b1b2`;
    const made = createHmac('sha1', 'token').update(text).digest('base64');
    expect(isSignedByTwilio(['token'], { signature: made, url, form: repeated })).toBe(true);
  });
});
