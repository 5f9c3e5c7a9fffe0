import { median } from '../limits/median.js';
import {
  BEST_OF_DAYS,
  type Counts,
  type History,
  MEDIAN_OF_DAYS,
  SETTLED_AFTER_MINUTES,
  type Tally,
  TELLING_AFTER_MINUTES,
} from './breaker-rules.js';

const MINUTE_MS = 60_000;
const HOUR = 60;
const HOURS_OF_DAY = 24;

/** What `send_counters` holds of one scope and span, column by column. */
export interface Counted {
  /** When each begins, in minutes since 1970. */
  minutes: readonly number[];
  sends: readonly number[];
  verified: readonly number[];
}

/** From when on rows are read: those of a minute, those of an hour, and the hours of history. */
export function windowsAt(now: Date): {
  minutesFrom: Date;
  hoursFrom: Date;
  historyFrom: Date;
  hour: number;
} {
  const minute = minuteOf(now);
  const hour = hourOf(minute);
  return {
    minutesFrom: at(Math.min(minute - HOUR + 1, firstUnsettledHour(minute) * HOUR)),
    hoursFrom: at((hour - HOURS_OF_DAY + 1) * HOUR),
    historyFrom: at((hour - BEST_OF_DAYS * HOURS_OF_DAY) * HOUR),
    hour,
  };
}

/**
 * Counts sends by age, in whole minutes. The day is made of hours, and of minutes since the last whole one, so it is
 * an hour short at most; and of the hour in which a breaker closed, no more than its minutes count, for an hour.
 *
 * @param countsFrom what was sent before does not count.
 */
export function countsAt(now: Date, byMinute: Counted, byHour: Counted, countsFrom: Date | null): Counts {
  const minute = minuteOf(now);
  const first = countsFrom ? Math.ceil(countsFrom.getTime() / MINUTE_MS) : 0;
  // The last minutes whose sends are all that old.
  const telling = minute - TELLING_AFTER_MINUTES - 1;
  const settled = minute - SETTLED_AFTER_MINUTES - 1;
  const hourAgo = minute - HOUR + 1;
  const restFrom = firstUnsettledHour(minute) * HOUR;
  const dayFrom = (hourOf(minute) - HOURS_OF_DAY + 1) * HOUR;
  const between = (counted: Counted, from: number, to: number) => tally(counted, Math.max(from, first), to);
  return {
    burst: between(byMinute, settled + 1, telling),
    telling: between(byMinute, hourAgo, telling),
    hour: between(byMinute, hourAgo, settled),
    day: sum(between(byHour, dayFrom, restFrom - 1), between(byMinute, restFrom, settled)),
    wholeDay: sum(tally(byHour, dayFrom, restFrom - 1), tally(byMinute, restFrom, settled)),
  };
}

/** What the whole hours before this one have been like. */
export function historyAt(now: Date, byHour: Counted): History {
  const hour = hourOf(minuteOf(now));
  const days = new Map<number, number>();
  const unverified: number[] = [];
  for (const [index, minute] of byHour.minutes.entries()) {
    if (minute >= hour * HOUR) continue;
    const { [index]: sends = 0 } = byHour.sends;
    const { [index]: verified = 0 } = byHour.verified;
    const day = Math.floor(minute / HOUR / HOURS_OF_DAY);
    days.set(day, (days.get(day) ?? 0) + verified);
    if (minute >= (hour - MEDIAN_OF_DAYS * HOURS_OF_DAY) * HOUR) unverified.push(sends - verified);
  }
  return {
    bestDay: Math.max(0, ...days.values()),
    medianHour: median(unverified, MEDIAN_OF_DAYS * HOURS_OF_DAY),
  };
}

function tally({ minutes, sends, verified }: Counted, from: number, to: number): Tally {
  const total = { sends: 0, verified: 0 };
  for (const [index, minute] of minutes.entries()) {
    if (minute < from || minute > to) continue;
    total.sends += sends[index] ?? 0;
    total.verified += verified[index] ?? 0;
  }
  return total;
}

function sum(one: Tally, other: Tally): Tally {
  return { sends: one.sends + other.sends, verified: one.verified + other.verified };
}

/** Sends of all hours before it are old enough to have been verified. */
function firstUnsettledHour(minute: number): number {
  return hourOf(minute - SETTLED_AFTER_MINUTES);
}

function minuteOf(time: Date): number {
  return Math.floor(time.getTime() / MINUTE_MS);
}

function hourOf(minute: number): number {
  return Math.floor(minute / HOUR);
}

function at(minute: number): Date {
  return new Date(minute * MINUTE_MS);
}
