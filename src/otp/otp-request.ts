import type { EntityManager } from 'typeorm';

import type { OtpPurpose } from './otp-purpose.js';

/** A code that is asked for. */
export interface OtpRequest {
  /** As the user wrote it. */
  phoneNumber: string;
  purpose: OtpPurpose;
  /** The asking user, for a phone change. */
  userId?: string | undefined;
  /** Binds the code to whoever holds the verifier (RFC 7636, S256). */
  codeChallenge?: string | undefined;
  /** 4 to 8. */
  minCodeLength?: number | undefined;
  /** Name of the Android app whose hash goes into the text. */
  app?: string | undefined;
  /** The address that asks. */
  clientIp: string;
  /** Of an earlier sign-in on this device; one that is not good is ignored. */
  deviceToken?: string | undefined;
  /** The account that the number belongs to. */
  findOwner: (phoneNumber: string) => Promise<string | undefined>;
  /** A repeat with the same key and body is answered the same, and sends nothing. */
  idempotency?: { key: string; body: string } | undefined;
  /** Beside that of the number, and asked first. */
  budget?: SendBudget | undefined;
}

/** What whoever asks for codes may send. */
export interface SendBudget {
  /** Takes a send from it, in the transaction that reserves the code. @throws {Problem} where there is none left. */
  take(transaction: EntityManager, phoneNumber: string): Promise<void>;
  /** The provider refused it. */
  giveBack(manager: EntityManager): Promise<void>;
}

/** What a client may know of a code that was sent. Seconds. */
export interface OtpSent {
  phoneNumber: string;
  codeLength: number;
  expiresIn: number;
  resendIn: number;
  attempts: number;
}
