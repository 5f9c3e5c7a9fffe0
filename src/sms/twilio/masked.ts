import { maskPhoneNumber } from '../../platform/phone-number.js';
import type { SmsMessage } from '../sms-sender.js';

const MAX_LENGTH = 300;

/** What Twilio says about a text, for logs: without its number and code, and without any other number. */
export function masked(text: string, { to, otpCode }: Pick<SmsMessage, 'to' | 'otpCode'>): string {
  const digits = to.replace(/^\+/, '');
  const withoutNumber = text.replaceAll(digits, maskPhoneNumber(to).replace(/^\+/, ''));
  return (otpCode === null ? withoutNumber : withoutNumber.replaceAll(otpCode, '****'))
    .replace(/(?<![0-9A-Za-z*])\d{4,}/g, '****')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .slice(0, MAX_LENGTH);
}
