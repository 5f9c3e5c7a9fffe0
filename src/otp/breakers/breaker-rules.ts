import type { ScopeKind } from './breaker-scope.js';

// What opens and closes breakers: every figure, and why. Nobody enters the codes of texts that are asked for to be
// paid for, so all rules count *unverified* sends: those whose number has not signed in since.

/** A text may take some minutes, and people some more: until then a send is not held against anybody. */
export const SETTLED_AFTER_MINUTES = 10;
/** Most codes are entered within a minute. From then on a whole burst without a sign-in is telling. */
export const TELLING_AFTER_MINUTES = 2;

/** A burst this large that hardly anybody answers opens before it is ten minutes old. Wider scopes see more chance. */
const BURST_SENDS: Readonly<Record<ScopeKind, number>> = { prefix: 10, country: 50, service: 200 };
/** Healthy sign-in lies above 60 %, pumping near 0. */
const BURST_VERIFIED_PERCENT = 25;

/** A shop on one exchange, a family, a tester: ten sends without a sign-in happen. Past them, half must be. */
const PREFIX_HOUR_FLOOR = 10;
const PREFIX_HOUR_PERCENT = 50;
/** For slow attacks that stay under the hour's floor. */
const PREFIX_DAY_SENDS = 20;
const PREFIX_DAY_VERIFIED_PERCENT = 15;

/** Authgear's figures, which grow with what the country is used to; its floor of 3 an hour is one family's evening. */
const COUNTRY_DAY_FLOOR = 20;
const COUNTRY_DAY_PERCENT = 30;
const COUNTRY_HOUR_FLOOR = 10;
const COUNTRY_HOUR_PERCENT = 20;
/** An hour of the best day is taken for a sixth of it: days have busy hours. */
const BUSY_HOURS = 6;

/** A new installation has no usual hour yet. */
const SERVICE_HOUR_FLOOR = 100;
const SERVICE_HOUR_TIMES = 5;
/** Time to look before new sign-ups stop. */
const ALARM_PERCENT = 70;

/** Where half of all codes are entered, people sign in, and be it a launch day. */
const CONVERTING_PERCENT = 50;
/** Fewer sends than this say nothing about an hour: then the day is asked. */
const CONVERTING_SENDS = 10;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The burst is judged soon, so a wrong judgement is over soon. */
const BURST_OPEN_MS = 10 * MINUTE_MS;
const OPEN_MS = HOUR_MS;
/** Twilio blocks a prefix for as long. */
export const LONGEST_OPEN_MS = 12 * HOUR_MS;
/** A breaker that stayed closed for so long opens for its shortest time again. */
export const FORGIVEN_AFTER_MS = 24 * HOUR_MS;

/** Through an open breaker a text goes each five minutes, to see how it fares: twelve an hour bankrupt nobody. */
export const TRICKLE_EVERY_MS = 5 * MINUTE_MS;
/** Three of the newest five such codes verified: people, not bots. */
export const TRICKLE_LOOKED_AT = 5;
export const TRICKLE_VERIFIED = 3;

/** History that limits are made of, in days. */
export const BEST_OF_DAYS = 14;
export const MEDIAN_OF_DAYS = 7;

export interface Tally {
  sends: number;
  verified: number;
}

/** Sends of one scope since its breaker last closed, by age. Of the service: to numbers without an account only. */
export interface Counts {
  /** 2 to 10 minutes old. */
  burst: Tally;
  /** 2 minutes to an hour. */
  telling: Tally;
  /** 10 minutes to an hour. */
  hour: Tally;
  /** 10 minutes to a day. */
  day: Tally;
  /** The same, whatever closed in between: a cap on what is paid for knows no fresh start. */
  wholeDay: Tally;
}

export interface History {
  /** Most sends of one day (UTC) that were verified, of the 14 before this one. */
  bestDay: number;
  /** Unverified sends of the hour in the middle, of the 7 days before. */
  medianHour: number;
}

/** What can have opened a breaker: a rule of these, the provider's word, or an administrator's. */
export const BREAKER_RULES = [
  'burst',
  'hour',
  'day',
  'conversion',
  'daily_cap',
  'provider',
  'administrator',
] as const;
export type BreakerRule = (typeof BREAKER_RULES)[number];

/** Unverified sends, and how many there may be. */
export interface Usage {
  rule: BreakerRule;
  used: number;
  limit: number;
  /** Of the sends that were counted; null where there were none. */
  verifiedRatio: number | null;
}

export interface Trip extends Usage {
  /** For the first time; each further one doubles it. */
  openMs: number;
}

interface Limit {
  rule: BreakerRule;
  tally: Tally;
  /** Unverified sends of `tally` that there may be. */
  limit: number;
  openMs: number;
  /** What is asked where the hour says nothing. */
  day: Tally;
}

/** The first rule that the counts of a scope break, the gravest first; nothing while people sign in. */
export function tripOf(
  kind: ScopeKind,
  counts: Counts,
  history: History,
  dailyCap: number,
): Trip | undefined {
  const broken = limitsOf(kind, counts, history, dailyCap).find(
    ({ tally, limit, day }) => unverified(tally) > limit && !isConverting(counts.telling, day),
  );
  return broken && { ...usageOf(broken), openMs: broken.openMs };
}

/** What of the service's limits is used most, and whether it is time to look. */
export function serviceAlarm(
  counts: Counts,
  history: History,
  dailyCap: number,
): { isAlarm: boolean; cap: Usage } {
  const [cap, hour] = serviceLimits(counts, history, dailyCap);
  const isNear = ({ tally, limit }: Limit) => unverified(tally) * 100 >= limit * ALARM_PERCENT;
  return { isAlarm: isNear(cap) || isNear(hour), cap: usageOf(cap) };
}

/** The part of sends that was verified, to the third digit; null without sends. */
export function verifiedRatio({ sends, verified }: Tally): number | null {
  return sends > 0 ? Math.round((verified / sends) * 1000) / 1000 : null;
}

function limitsOf(kind: ScopeKind, counts: Counts, history: History, dailyCap: number): Limit[] {
  const burst = burstLimit(kind, counts);
  switch (kind) {
    case 'prefix':
      return [...prefixLimits(counts), burst];
    case 'country':
      return [...countryLimits(counts, history), burst];
    case 'service':
      return [...serviceLimits(counts, history, dailyCap), burst];
  }
}

function burstLimit(kind: ScopeKind, { burst: tally, day }: Counts): Limit {
  const limit = percentLimit(tally, BURST_SENDS[kind], BURST_VERIFIED_PERCENT);
  return { rule: 'burst', tally, limit, openMs: BURST_OPEN_MS, day };
}

function prefixLimits({ hour, day }: Counts): Limit[] {
  const hourly = Math.max(PREFIX_HOUR_FLOOR, (hour.sends * PREFIX_HOUR_PERCENT) / 100);
  const conversion = percentLimit(day, PREFIX_DAY_SENDS, PREFIX_DAY_VERIFIED_PERCENT);
  return [
    { rule: 'hour', tally: hour, limit: hourly, openMs: OPEN_MS, day },
    { rule: 'conversion', tally: day, limit: conversion, openMs: OPEN_MS, day },
  ];
}

function countryLimits({ hour, day }: Counts, { bestDay }: History): Limit[] {
  const daily = (Math.max(bestDay, day.verified) * COUNTRY_DAY_PERCENT) / 100;
  const hourly = (Math.max(bestDay / BUSY_HOURS, hour.verified) * COUNTRY_HOUR_PERCENT) / 100;
  return [
    { rule: 'day', tally: day, limit: Math.max(COUNTRY_DAY_FLOOR, daily), openMs: OPEN_MS, day },
    { rule: 'hour', tally: hour, limit: Math.max(COUNTRY_HOUR_FLOOR, hourly), openMs: OPEN_MS, day },
  ];
}

function serviceLimits(
  { hour, day, wholeDay }: Counts,
  { medianHour }: History,
  dailyCap: number,
): [cap: Limit, hour: Limit] {
  const hourly = Math.max(SERVICE_HOUR_FLOOR, medianHour * SERVICE_HOUR_TIMES);
  return [
    { rule: 'daily_cap', tally: wholeDay, limit: dailyCap, openMs: OPEN_MS, day: wholeDay },
    { rule: 'hour', tally: hour, limit: hourly, openMs: OPEN_MS, day },
  ];
}

/** So many unverified that less than a part of them is verified; any number of few sends. */
function percentLimit({ sends }: Tally, atLeast: number, verifiedPercent: number): number {
  return sends < atLeast ? Infinity : (sends * (100 - verifiedPercent)) / 100;
}

function isConverting(hour: Tally, day: Tally): boolean {
  const { sends, verified } = hour.sends >= CONVERTING_SENDS ? hour : day;
  return sends > 0 && verified * 100 >= sends * CONVERTING_PERCENT;
}

function unverified({ sends, verified }: Tally): number {
  return sends - verified;
}

function usageOf({ rule, tally, limit }: Limit): Usage {
  return { rule, used: unverified(tally), limit: Math.floor(limit), verifiedRatio: verifiedRatio(tally) };
}
