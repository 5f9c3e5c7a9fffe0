import { phoneChangeNotice } from './phone-change-notice.js';

describe('phoneChangeNotice', () => {
  it('says what has happened, and no number', () => {
    expect(phoneChangeNotice('Latchkey')).toBe(
      'Your Latchkey account has moved to another phone number. If this was not you, contact support.',
    );
  });

  it('fits one segment with the longest name of an app', () => {
    const longest = phoneChangeNotice('A'.repeat(30));
    // Letters and these are one septet each in GSM-7.
    expect(longest).toMatch(/^[A-Za-z .,]+$/);
    expect(longest.length).toBeLessThanOrEqual(160);
  });
});
