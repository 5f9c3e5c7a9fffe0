import {
  DAY_MS,
  HOUR_MS,
  OWN_DEVICES_FACTOR,
  SENDS_KEPT_FOR_NEW_ADDRESSES,
  WAIT_FACTORS,
} from './abuse-policy.js';
import type { AbusePolicyConfig } from './abuse-policy.config.js';

/** A code that was sent to the number in the last 24 hours. */
export interface EarlierSend {
  /** Milliseconds since the epoch. */
  at: number;
  /** The own device that asked for it: its lane is counted apart. */
  deviceKey: string | null;
  addressKey: string;
  isVerified: boolean;
}

/** Another one. */
export interface SendQuestion {
  now: number;
  addressKey: string;
  deviceKey: string | null;
  /** When the number last signed in; 0 where it has not. */
  signedInAt: number;
  resendSeconds: number;
  budget: AbusePolicyConfig['phoneSends'];
}

interface NumberRefusal {
  code: 'otp_limit_reached' | 'otp_cooldown';
  retryAfter: number;
}

/** What the number's budget says: a refusal, or how long the send after this one has to wait. Seconds. */
export type NumberVerdict = { refusal: NumberRefusal } | { refusal?: undefined; resendIn: number };

/** Judges a send by those before it, the oldest first. */
export function judgeSend(sends: readonly EarlierSend[], question: SendQuestion): NumberVerdict {
  const { now, deviceKey, resendSeconds } = question;
  const lane = sends.filter((send) => send.deviceKey === deviceKey);
  const freeAt = deviceKey === null ? limitOfNumber(lane, question) : limitOfDevice(lane, sends, question);
  const waitUntil = endOfWait(lane, question);
  const retryAfter = Math.ceil((Math.max(freeAt, waitUntil) - now) / 1000);
  if (freeAt > now) return { refusal: { code: 'otp_limit_reached', retryAfter } };
  if (waitUntil > now) return { refusal: { code: 'otp_cooldown', retryAfter } };
  return { resendIn: resendSeconds * waitFactor(streak(lane, question) + 1) };
}

/** When the number's sends are within its budget again; a time gone by where they are. */
function limitOfNumber(lane: readonly EarlierSend[], question: SendQuestion): number {
  const { now, addressKey, budget } = question;
  const unused = lane.filter((send) => send.addressKey === addressKey && !send.isVerified);
  const kept = Math.min(SENDS_KEPT_FOR_NEW_ADDRESSES, budget.perDay - 1);
  // An address whose last code is a day old has not asked.
  const isNewAt = freeAfter(unused, 1, DAY_MS, now);
  return Math.max(
    limitOf(lane, question),
    freeAfter(unused, budget.perAddressPerDay, DAY_MS, now),
    Math.min(isNewAt, freeAfter(lane, budget.perDay - kept, DAY_MS, now)),
  );
}

function limitOfDevice(
  lane: readonly EarlierSend[],
  sends: readonly EarlierSend[],
  question: SendQuestion,
): number {
  const { now, budget } = question;
  const ofDevices = sends.filter((send) => send.deviceKey !== null);
  return Math.max(
    limitOf(lane, question),
    freeAfter(ofDevices, OWN_DEVICES_FACTOR * budget.perDay, DAY_MS, now),
  );
}

function limitOf(lane: readonly EarlierSend[], { now, budget }: SendQuestion): number {
  return Math.max(freeAfter(lane, budget.perHour, HOUR_MS, now), freeAfter(lane, budget.perDay, DAY_MS, now));
}

/** When fewer than `limit` of the sends will lie within the window. */
function freeAfter(sends: readonly EarlierSend[], limit: number, windowMs: number, now: number): number {
  const within = sends.filter(({ at }) => at > now - windowMs);
  const leaving = within[within.length - limit];
  return leaving ? leaving.at + windowMs : 0;
}

function endOfWait(lane: readonly EarlierSend[], question: SendQuestion): number {
  const last = lane.at(-1);
  if (!last) return 0;
  // As of the last code: the wait that was told then does not end earlier because others grow old.
  const factor = waitFactor(streak(lane, { ...question, now: last.at }));
  return last.at + question.resendSeconds * factor * 1000;
}

/** Codes of the hour before a time, since the number last signed in: each makes the wait longer. */
function streak(
  lane: readonly EarlierSend[],
  { now, signedInAt }: Pick<SendQuestion, 'now' | 'signedInAt'>,
): number {
  return lane.filter(({ at }) => at > Math.max(signedInAt, now - HOUR_MS)).length;
}

function waitFactor(streak: number): number {
  const last = WAIT_FACTORS.length;
  return WAIT_FACTORS[Math.min(Math.max(streak, 1), last) - 1] ?? 1;
}
