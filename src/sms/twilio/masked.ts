import { maskPhoneNumber } from '../../platform/phone-number.js';
import type { SmsMessage } from '../sms-sender.js';

const MAX_LENGTH = 300;

/** What Twilio says about a text, for logs: without its number and code, and without any other number. */
export function masked(text: string, { to, otpCode }: Pick<SmsMessage, 'to' | 'otpCode'>): string {
  const digits = to.replace('+', '');
  return text
    .split(digits)
    .map((part) => (otpCode === null ? part : part.replaceAll(otpCode, '****')))
    .map((part) => part.replace(/(?<![0-9A-Za-z])\d{4,}/g, '****'))
    .join(maskPhoneNumber(to).replace('+', ''))
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .slice(0, MAX_LENGTH);
}
