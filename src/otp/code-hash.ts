import { createHmac, timingSafeEqual } from 'node:crypto';

import type { OtpPurpose } from './otp-purpose.js';

interface HashedCode {
  salt: Buffer;
  phoneNumber: string;
  purpose: OtpPurpose;
  code: string;
  /** Whether it is the fixed code of a test number. */
  isTest?: boolean;
}

/**
 * HMAC-SHA-256 over salt, number, purpose and code. Four digits are searched in no time whatever hash they are kept
 * under; the server's key is what a stolen table lacks. A code of a test number has a purpose of its own: whoever does
 * not know the number as one (another replica, or later this one) takes no fixed code for it, and the other way round.
 */
export function hashCode(key: Buffer, hashed: HashedCode): Buffer {
  const { salt, phoneNumber, code, isTest = false } = hashed;
  const purpose = isTest ? `test_${hashed.purpose}` : hashed.purpose;
  // No part can hold a NUL, so no two inputs run together to the same text.
  return createHmac('sha256', key).update(salt).update([phoneNumber, purpose, code].join('\0')).digest();
}

/** In constant time. */
export function matchesHash(key: Buffer, hashed: HashedCode, hash: Buffer): boolean {
  const computed = hashCode(key, hashed);
  return computed.length === hash.length && timingSafeEqual(computed, hash);
}
