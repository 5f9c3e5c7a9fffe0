import { otpText, type OtpTextOptions } from './otp-text.js';

const text = (options: Partial<OtpTextOptions> = {}): string =>
  otpText({
    code: '4821',
    purpose: 'sign_in',
    appName: 'Latchkey',
    ttlSeconds: 600,
    domain: 'app.example.com',
    ...options,
  });

describe('otpText', () => {
  it('starts with the code and ends with the line that binds it to the host', () => {
    expect(text()).toBe(
      '4821 is your Latchkey code. It expires in 10 minutes. Do not share it.\n\n@app.example.com #4821',
    );
  });

  it("has the hash of Android's SMS Retriever on a line of its own before the last", () => {
    expect(text({ androidAppHash: 'FA+9qCX9VSu' })).toBe(
      '4821 is your Latchkey code. It expires in 10 minutes. Do not share it.\n\nFA+9qCX9VSu\n@app.example.com #4821',
    );
  });

  it.each([
    [1, '1 minute.'],
    [60, '1 minute.'],
    [120, '2 minutes.'],
    [600, '10 minutes.'],
  ])('tells a life of %d seconds as %s', (ttlSeconds, minutes) => {
    expect(text({ ttlSeconds })).toContain(`expires in ${minutes}`);
  });

  it.each(['sign_in', 'phone_change'] as const)(
    'fits one segment with everything at its longest: %s',
    (purpose) => {
      const longest = text({
        code: '48210000',
        purpose,
        appName: 'Latchkey',
        domain: 'latchkey.example.com',
        androidAppHash: 'FA+9qCX9VSu',
      });
      // Letters, digits and these are one septet each in GSM-7.
      expect(longest).toMatch(/^[A-Za-z0-9 .,@#+/\n]+$/);
      expect(longest.length).toBeLessThanOrEqual(160);
    },
  );

  it('has no other number of four digits or more', () => {
    expect(text().match(/\d{4,}/g)).toEqual(['4821', '4821']);
  });
});
