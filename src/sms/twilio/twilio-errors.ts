import type { SmsRefusal } from '../sms-sender.js';

/** What an error of Twilio means to us. Codes: https://www.twilio.com/docs/api/errors */
export interface TwilioError {
  /** What a sign-up is answered where Twilio refuses its text at once. */
  answer: SmsRefusal['code'];
  /** More tries of our own, the request being the same. */
  tries?: 1 | 3;
  /** Who is told: `operator` is an error of the setup that stops texts until somebody mends it. */
  tell: 'nobody' | 'warning' | 'error' | 'operator';
  /** Twilio may have taken the text all the same: its code stays good. */
  isUncertain?: true;
  /** Twilio's own protection takes the number's range for a fraud. */
  isPumping?: true;
  /** What a number is answered for a day where a delivery receipt says so. */
  fromNowOn?: 'phone_number_unreachable' | 'phone_number_unsupported';
  /** For the client's developers. */
  detail?: string;
}

const unavailable = (tell: TwilioError['tell'], more: Partial<TwilioError> = {}): TwilioError => ({
  answer: 'sms_unavailable',
  tell,
  ...more,
});
const refused = (answer: TwilioError['answer'], more: Partial<TwilioError> = {}): TwilioError => ({
  answer,
  tell: 'nobody',
  ...more,
});

const INVALID = refused('phone_number_invalid');
const UNREACHABLE = refused('phone_number_unreachable');
const UNSUPPORTED = refused('phone_number_unsupported');
const MISCONFIGURED = unavailable('operator');
const OUR_FAULT = unavailable('error');
const PASSING = unavailable('nobody');
const BUSY = unavailable('warning', { tries: 1 });
const PUMPING = unavailable('warning', { isPumping: true });

/** Twilio has not looked at the request: to repeat it is always safe. */
const TOO_MANY_AT_ONCE = unavailable('warning', { tries: 3 });
const WRONG_CREDENTIALS = MISCONFIGURED;
const WRONG_ACCOUNT = MISCONFIGURED;
/** A second text with the same code does no harm. */
const TWILIO_FAILED = unavailable('error', { tries: 1, isUncertain: true });

const BY_CODE: ReadonlyMap<number, TwilioError> = new Map([
  // The number.
  [21211, INVALID],
  [21217, INVALID],
  [21421, INVALID],
  [21214, UNREACHABLE],
  // No route from this sender to this number: it may be the wrong sender.
  [21612, refused('phone_number_unreachable', { tell: 'error' })],
  // A country that the account's geo permissions leave out.
  [21408, refused('phone_number_unsupported', { tell: 'warning' })],
  [
    21610,
    refused('phone_number_unreachable', {
      detail:
        'This number has opted out of our texts. Texting START to the number that they came from undoes it.',
    }),
  ],
  [21614, UNSUPPORTED],
  [21635, UNSUPPORTED],

  // The account, its keys and its senders.
  [20003, WRONG_CREDENTIALS],
  [20005, MISCONFIGURED],
  [10001, MISCONFIGURED],
  [30002, MISCONFIGURED],
  [20404, WRONG_ACCOUNT],
  // Test credentials on what is real.
  [20008, WRONG_ACCOUNT],
  // A trial account, and a number that it has not verified.
  [21608, unavailable('error')],
  [21606, MISCONFIGURED],
  [21659, MISCONFIGURED],
  [21660, MISCONFIGURED],
  [21212, MISCONFIGURED],
  [21603, MISCONFIGURED],
  [21701, MISCONFIGURED],
  [21702, MISCONFIGURED],
  [21703, MISCONFIGURED],
  [21704, MISCONFIGURED],
  [21705, MISCONFIGURED],
  // Senders that are not registered: short codes, toll-free, A2P 10DLC.
  [30024, MISCONFIGURED],
  [30032, MISCONFIGURED],
  [30034, MISCONFIGURED],
  [30035, MISCONFIGURED],

  // Our request: no body, too long a body, no number.
  [21602, OUR_FAULT],
  [21604, OUR_FAULT],
  [21605, OUR_FAULT],
  [21617, OUR_FAULT],

  // Too much at once.
  [20429, TOO_MANY_AT_ONCE],
  [21611, BUSY],
  [30001, BUSY],
  [30022, BUSY],
  // Of a channel that is not ours, such as WhatsApp.
  [63018, BUSY],

  // Twilio itself.
  [20500, TWILIO_FAILED],
  [20503, TWILIO_FAILED],

  // Its protection against pumping.
  [30450, PUMPING],
  [60410, PUMPING],

  // What receipts say: off or out of reach, unknown, too late, Twilio's fault. The next text may well arrive.
  [30003, PASSING],
  [30008, PASSING],
  [30036, PASSING],
  [30485, PASSING],
  [30500, PASSING],
  // Filtered for its content or sender.
  [30007, unavailable('warning')],
  // Blocked, by the user or the carrier.
  [30004, refused('phone_number_unreachable', { fromNowOn: 'phone_number_unreachable' })],
  // No such phone.
  [30005, refused('phone_number_unreachable', { fromNowOn: 'phone_number_unreachable' })],
  // A landline.
  [30006, refused('phone_number_unsupported', { fromNowOn: 'phone_number_unsupported' })],
]);

// Nobody foresaw it: the log says what it was.
const OTHER = unavailable('error');

/** @param code as in a delivery receipt, or in the body of an error. */
export function twilioError(code: number | undefined): TwilioError {
  return (code === undefined ? undefined : BY_CODE.get(code)) ?? OTHER;
}

/** @param status of HTTP, which decides where the body has no code that is known: it may be HTML. */
export function twilioErrorOf(status: number, code: number | undefined): TwilioError {
  const known = code === undefined ? undefined : BY_CODE.get(code);
  if (known) return known;
  if (status >= 500) return TWILIO_FAILED;
  if (status === 429) return TOO_MANY_AT_ONCE;
  // Another code is more than that: it is not the key that is wrong.
  if (code !== undefined) return OTHER;
  if (status === 401) return WRONG_CREDENTIALS;
  if (status === 404) return WRONG_ACCOUNT;
  return OTHER;
}
