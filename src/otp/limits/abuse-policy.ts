// The figures of the abuse policy that no variable sets, each with its reason. Those that one sets are in
// abuse-policy.config.ts; those of the breakers are in breakers/breaker-rules.ts.

const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Failed guesses lengthen a number's codes for so long: thirteen such windows fit into a year. */
export const FAILURE_WINDOW_MS = 30 * DAY_MS;

/**
 * A code of so few digits is made only while the failed guesses of the window, those that are still open, and its own
 * can be no more than this. Odds of a guess a year: 13 windows x 6 x 1e-4 + 13 x 23 x 1e-6 + 8 codes a day x 3 x 365 x
 * 1e-8 = 0.8 %.
 */
export const GUESSES_AT_LENGTH = [
  { digits: 4, guesses: 6 },
  { digits: 6, guesses: 23 },
] as const;
export const LONGEST_CODE = 8;

/** A guess that came just before its code expired may be claimed, and counted, so long after, or a little longer. */
export const GUESS_UNDER_WAY_MS = 5000;

/**
 * The codes of a number's own devices are judged by each device's own failures, and by twice as many for all of them
 * together: tokens of earlier sign-ins can be gathered by whoever once had the phone.
 */
export const ALL_DEVICES_FACTOR = 2;

/** With `OTP_ESCALATION=off` the number takes so many failed guesses in the window: 13 x 7 x 1e-4 = 0.91 % a year. */
export const FAILURES_WITHOUT_ESCALATION = 7;

/** Each code within an hour makes the next one wait longer: times `OTP_RESEND_SECONDS`. */
export const WAIT_FACTORS = [1, 2, 4, 10, 20] as const;

/** Of a number's sends a day, the last are kept for addresses that have not asked for it: an owner on a new phone. */
export const SENDS_KEPT_FOR_NEW_ADDRESSES = 2;

/** Sends a day by all devices of a number: three devices' worth. */
export const OWN_DEVICES_FACTOR = 3;

/** A send is pending for so long, then unverified until its number signs in: nine in ten codes are typed in by then. */
export const PENDING_MS = 5 * MINUTE_MS;

/** Pending sends of an address may be so many times the numbers that signed in from it within a day. */
export const PENDING_PER_SIGN_IN = 2;

/** A network (IPv4 /24, IPv6 /48) may have so many times what one address may. */
export const NETWORK_FACTOR = 5;

/** Unverified sends of an address: past this share its codes grow, past the other it is refused. */
export const UNVERIFIED_SHARE = { longer: 0.3, refused: 0.5 } as const;
/** The floor of the refusal is so many times that of longer codes. */
export const UNVERIFIED_REFUSED_FACTOR = 3;

/** Failed guesses of an address, by the numbers that signed in from it: past this share its codes grow. */
export const FAILURE_SHARE = 0.2;
/** Past so many times the limit its codes have 8 digits; past so many it is refused. */
export const FAILURE_LONGEST_FACTOR = 3;
export const FAILURE_REFUSED_FACTOR = 10;

/**
 * Who has to wait for the pending sends of an address asks again after so many seconds: two who is next, as codes are
 * typed in all the time, and longer who is farther back, so that a long queue is not a storm of requests.
 */
export const RETRY_PENDING_SECONDS = { next: 2, farthest: 10, oneMoreFor: 20 } as const;
/** Who waits goes first until then, though it may be slow to ask again. */
export const RETURN_GRACE_MS = 3000;
/** Who comes back later has its place all the same, but let others by in the meantime. */
export const PLACE_KEPT_MS = 5 * MINUTE_MS;
/** So many are counted who go first, and nobody else gets a place: a crowd of two thousand makes some 300 wait. */
export const LONGEST_QUEUE = 1000;

/** What else is refused for an address may be asked again after so long. */
export const RETRY_HOUR_SECONDS = 300;
export const RETRY_DAY_SECONDS = 3600;

/** A number's carrier is believed for so long when it says that it cannot be reached. */
export const REFUSED_NUMBER_MS = 24 * HOUR_MS;

/** Service-wide: failed guesses a day past this share of the codes guessed right make all codes longer. */
export const SERVICE_FAILURE_SHARE = 0.05;
/** Or, of an hour, past so many times the median hour of a week. */
export const SERVICE_MEDIAN_FACTOR = 4;
export const SERVICE_MEDIAN_HOURS = 7 * 24;
export const SERVICE_CODE_LENGTH = 6;
