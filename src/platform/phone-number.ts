import { type CountryCode, type PhoneNumberType, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** A valid number in E.164, e.g. `+14155552671`. */
export interface PhoneNumber {
  e164: string;
  /** ISO 3166-1 alpha-2; absent for numbers of no country (satellite, international networks). */
  country: CountryCode | undefined;
  type: PhoneNumberType | undefined;
}

const ALLOWED_CHARACTERS = /^[+0-9 .()-]+$/;
const BARE = /^\+[0-9]{4,17}$/;

/** Reads a number as people write it, country code included; nothing where it is not a valid one. */
export function parsePhoneNumber(text: string): PhoneNumber | undefined {
  const trimmed = text.trim();
  if (!ALLOWED_CHARACTERS.test(trimmed)) return undefined;
  const bare = trimmed.replace(/[ .()-]/g, '');
  if (!BARE.test(bare)) return undefined;
  const parsed = parsePhoneNumberFromString(bare);
  // Some plans let through more digits than E.164 has.
  if (!parsed?.isValid() || parsed.number.length > 16) return undefined;
  return { e164: parsed.number, country: parsed.country, type: parsed.getType() };
}

/** For logs: `+14155552671` becomes `+1415*****71`. */
export function maskPhoneNumber(e164: string): string {
  return `${e164.slice(0, 5)}${'*'.repeat(Math.max(0, e164.length - 7))}${e164.slice(-2)}`;
}
