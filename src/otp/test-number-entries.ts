import { maskPhoneNumber, writtenPhoneNumber } from '../platform/phone-number.js';

/** What the number of an app's reviewers signs in with. */
export interface TestNumber {
  /** 4 to 8 digits. */
  code: string;
  /** From then on the number is one like any other. */
  expiresAt: Date;
}

export const TEST_NUMBER_RULE = 'must be <number>=<code of 4 to 8 digits>@<YYYY-MM-DD>, separated by commas';

/** The furthest that an expiry may lie ahead: whoever needs the number for longer says so once a year. */
const MAX_DAYS = 366;
const DAY_MS = 24 * 60 * 60 * 1000;

const ENTRY = /^(?<number>[^=@]+)=(?<code>\d{4,8})@(?<date>\d{4}-\d{2}-\d{2})$/;

interface ReadEntries {
  /** By E.164. */
  numbers: ReadonlyMap<string, TestNumber>;
  faults: string[];
  warnings: string[];
}

/**
 * Reads the entries of `OTP_TEST_NUMBERS`. An entry is good to the end of its day, UTC; one that is past is left out
 * with a warning, so that no server fails to start for the calendar alone.
 *
 * @param options.minLength digits that every code has.
 * @returns faults and warnings that name an entry by its place and masked number, never by its code.
 */
export function readTestNumbers(
  entries: readonly string[],
  { now, minLength }: { now: Date; minLength: number },
): ReadEntries {
  const numbers = new Map<string, TestNumber>();
  const seen = new Set<string>();
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const found = readEntry(entry);
    if (!found) {
      // Any part of it may be the code.
      faults.push(`entry ${index + 1} is not`);
      continue;
    }
    const { number, code, expiresAt } = found;
    const name = `entry ${index + 1} (${maskPhoneNumber(number)})`;
    if (seen.has(number)) faults.push(`${name} names a number twice`);
    seen.add(number);
    if (code.length < minLength) faults.push(`${name} has a code shorter than OTP_LENGTH (${minLength})`);
    if (expiresAt.getTime() - now.getTime() > (MAX_DAYS + 1) * DAY_MS) {
      faults.push(`${name} expires more than ${MAX_DAYS} days ahead`);
    }
    if (expiresAt > now) numbers.set(number, { code, expiresAt });
    else warnings.push(`OTP_TEST_NUMBERS: ${name} has expired, and is a number like any other`);
  }
  return { numbers, faults, warnings };
}

function readEntry(entry: string): ({ number: string } & TestNumber) | undefined {
  const { number: text = '', code = '', date = '' } = ENTRY.exec(entry)?.groups ?? {};
  const number = writtenPhoneNumber(text);
  const day = new Date(`${date}T00:00:00.000Z`);
  // The 30th of February is read as a day of March.
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  return number !== undefined && isDay
    ? { number, code, expiresAt: new Date(day.getTime() + DAY_MS) }
    : undefined;
}
