import { Problem } from '../platform/http/problem.js';
import { parsePhoneNumber, type PhoneNumber } from '../platform/phone-number.js';

// Numbers that a person's phone has. Premium, shared-cost, toll-free, pager, voicemail, VoIP and personal numbers
// are how texts turn into somebody's revenue.
const SIGN_IN_TYPES: ReadonlySet<NonNullable<PhoneNumber['type']>> = new Set([
  'MOBILE',
  'FIXED_LINE_OR_MOBILE',
]);

/**
 * The E.164 form, and the country, of a number that may sign in.
 *
 * @throws {Problem} `phone_number_invalid`, or `phone_number_unsupported` for a line type or country that may not.
 */
export function signInNumber(
  text: string,
  allowedCountries: ReadonlySet<string> | undefined,
): { e164: string; country: string } {
  const number = parsePhoneNumber(text);
  if (!number) throw new Problem('phone_number_invalid');
  // Satellite numbers say MOBILE, and have no country.
  const { country, type } = number;
  if (!country || !type || !SIGN_IN_TYPES.has(type) || (allowedCountries && !allowedCountries.has(country))) {
    throw new Problem('phone_number_unsupported');
  }
  return { e164: number.e164, country };
}
