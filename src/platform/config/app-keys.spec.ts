import { AppKeys } from './app-keys.js';

const [older, newer] = ['the-older-secret-of-thirty-two-bytes', 'the-newer-secret-of-thirty-two-bytes'];

describe('AppKeys', () => {
  it('makes with the first secret and checks with all', () => {
    const before = new AppKeys([older]).current('otp');
    const during = new AppKeys([newer, older]);
    expect(during.current('otp').id).not.toBe(before.id);
    expect(during.byId('otp', before.id)).toEqual(before.key);
    expect(new AppKeys([newer]).byId('otp', before.id)).toBeUndefined();
  });

  it('takes a secret that is named twice for one', () => {
    expect(new AppKeys([newer, older, newer]).all('otp')).toEqual(new AppKeys([newer, older]).all('otp'));
  });

  it('derives another key for each purpose', () => {
    const keys = new AppKeys([older]);
    const derived = (['otp', 'refresh-token', 'device-token', 'signing-key', 'phone-limits'] as const).map(
      (purpose) => keys.current(purpose).key.toString('hex'),
    );
    expect(new Set(derived).size).toBe(derived.length);
    for (const key of derived) expect(key).toHaveLength(64);
  });
});
