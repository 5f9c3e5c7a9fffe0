import type { OtpPurpose } from './otp-purpose.js';

/** Which codes a request is about: those of one number and purpose, and of one user for a phone change. */
export interface OtpScope {
  phoneNumber: string;
  purpose: OtpPurpose;
  userId: string | null;
}
