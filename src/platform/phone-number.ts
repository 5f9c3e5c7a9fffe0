import {
  type CountryCode,
  getCountries,
  type PhoneNumberType,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';

/** Those that have numbers, ISO 3166-1 alpha-2. */
export const COUNTRIES: ReadonlySet<string> = new Set(getCountries());

/** A valid number in E.164, e.g. `+14155552671`. */
export interface PhoneNumber {
  e164: string;
  /** ISO 3166-1 alpha-2; absent for numbers of no country (satellite, international networks). */
  country: CountryCode | undefined;
  type: PhoneNumberType | undefined;
}

const ALLOWED_CHARACTERS = /^[+0-9 .()-]+$/;
const BARE = /^\+[0-9]{4,17}$/;

// Country codes do not begin with 0, and 15 digits are the most that there are.
const E164 = /^\+[1-9][0-9]{6,14}$/;

/** Reads a number as people write it, country code included; nothing where it is not a valid one. */
export function parsePhoneNumber(text: string): PhoneNumber | undefined {
  const bare = bareNumber(text);
  if (bare === undefined) return undefined;
  const parsed = parsePhoneNumberFromString(bare);
  // Some plans let through more digits than E.164 has.
  if (!parsed?.isValid() || parsed.number.length > 16) return undefined;
  return { e164: parsed.number, country: parsed.country, type: parsed.getType() };
}

/**
 * The E.164 form of what is written like a number, valid or not: fictional ones are not. Valid ones come out as
 * {@link parsePhoneNumber} reads them.
 */
export function writtenPhoneNumber(text: string): string | undefined {
  const valid = parsePhoneNumber(text);
  if (valid) return valid.e164;
  const bare = bareNumber(text);
  return bare !== undefined && E164.test(bare) ? bare : undefined;
}

function bareNumber(text: string): string | undefined {
  const trimmed = text.trim();
  if (!ALLOWED_CHARACTERS.test(trimmed)) return undefined;
  const bare = trimmed.replace(/[ .()-]/g, '');
  return BARE.test(bare) ? bare : undefined;
}

/** For logs: `+14155552671` becomes `+1415*****71`. */
export function maskPhoneNumber(e164: string): string {
  return `${e164.slice(0, 5)}${'*'.repeat(Math.max(0, e164.length - 7))}${e164.slice(-2)}`;
}
