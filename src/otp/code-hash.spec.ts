import { hashCode, matchesHash } from './code-hash.js';

const key = Buffer.alloc(32, 1);
const hashed = {
  salt: Buffer.alloc(16, 2),
  phoneNumber: '+14155552671',
  purpose: 'sign_in',
  code: '4821',
} as const;

describe('matchesHash', () => {
  const hash = hashCode(key, hashed);

  it('knows the code again', () => {
    expect(matchesHash(key, hashed, hash)).toBe(true);
  });

  it.each([
    ['key', Buffer.alloc(32, 9), {}],
    ['salt', key, { salt: Buffer.alloc(16, 9) }],
    ['number', key, { phoneNumber: '+14155552672' }],
    ['purpose', key, { purpose: 'phone_change' as const }],
    ['code', key, { code: '4822' }],
    ['kind of number', key, { isTest: true }],
  ])('knows nothing under another %s', (_, otherKey, change) => {
    expect(matchesHash(otherKey, { ...hashed, ...change }, hash)).toBe(false);
  });

  it('refuses a hash of another length', () => {
    expect(matchesHash(key, hashed, hash.subarray(1))).toBe(false);
  });
});
