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
  /** The life of the code, 1 to 600: after it the text need not arrive. Null: whenever it can. */
  validitySeconds: number | null;
}

/** The provider has certainly not taken a text: nothing was sent, and `code` says why. */
export interface SmsRefusal {
  fate: 'refused';
  code: 'phone_number_invalid' | 'phone_number_unsupported' | 'phone_number_unreachable' | 'sms_unavailable';
  /** Seconds, with `sms_unavailable`; 30 where it is left out. */
  retryAfter?: number;
  /** `pumping`: the provider takes the number's range for a fraud, and texts to it for a waste. */
  reason?: 'pumping';
  /** The error code of the provider, for metrics. */
  providerCode?: number;
  /** What a client's developer may read of it, in English; by default the title of `code`. */
  detail?: string;
}

/** What became of a text. */
export type SmsOutcome =
  /** `messageSid` is how the provider calls it in its delivery receipts, up to 64 characters; no two texts share one. */
  | { fate: 'accepted'; messageSid?: string }
  | SmsRefusal
  /** No answer, or none that tells: it may arrive, or not. */
  | { fate: 'unknown' };

/**
 * Sends texts. Never called within a transaction. An implementation answers within 5 seconds; one that throws is
 * taken for `unknown`.
 */
export interface SmsSender {
  send(message: SmsMessage): Promise<SmsOutcome>;
}
