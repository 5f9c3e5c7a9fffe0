/** Injection token of the {@link SmsSender}. */
export const SMS_SENDER = Symbol('SMS_SENDER');

/** What a text is for: a code of that purpose, or word to the old number that an account has left it. */
export type SmsPurpose = 'sign_in' | 'phone_change' | 'phone_change_notice';

/** One text. */
export interface SmsMessage {
  /** E.164. */
  to: string;
  body: string;
  purpose: SmsPurpose;
  /** 4 to 8 digits; null in a `phone_change_notice`. */
  otpCode: string | null;
}

/** What became of a text. */
export type SmsOutcome =
  | { fate: 'accepted' }
  /** The provider took it for certain not: nothing was sent, and `code` says why. */
  | {
      fate: 'refused';
      code:
        'phone_number_invalid' | 'phone_number_unsupported' | 'phone_number_unreachable' | 'sms_unavailable';
      /** Seconds, with `sms_unavailable`; 30 where it is left out. */
      retryAfter?: number;
    }
  /** No answer: it may arrive, or not. */
  | { fate: 'unknown' };

/**
 * Sends texts. Never called within a transaction. An implementation answers within 5 seconds; one that throws is
 * taken for `unknown`.
 */
export interface SmsSender {
  send(message: SmsMessage): Promise<SmsOutcome>;
}
