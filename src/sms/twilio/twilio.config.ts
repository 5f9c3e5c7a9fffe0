import type { SliceContext } from '../../platform/config/slice.js';
import {
  list,
  optionalBaseUrl,
  optionalText,
  type Values,
  wholeNumber,
} from '../../platform/config/variable.js';

export interface TwilioConfig {
  /** `AC` and 32 hex digits. */
  accountSid: string;
  /** The first signs requests where there is no API key; each checks callbacks. Empty: no callback can be checked. */
  authTokens: readonly string[];
  apiKey: { sid: string; secret: string } | undefined;
  sender: { messagingServiceSid: string } | { from: string };
  /** Without a slash at its end. */
  apiBaseUrl: string;
  /** For one text, all tries together. */
  timeoutMs: number;
}

const KEY_PATTERN = /^[!-~]+$/;
const KEY_RULE = 'must be visible ASCII characters without spaces';

export const TWILIO_VARIABLES = {
  TWILIO_ACCOUNT_SID: optionalText({
    about: 'The account that texts are sent from; live mode must set it',
    pattern: /^AC[0-9a-f]{32}$/,
    rule: 'must be AC and 32 hex digits',
  }),
  TWILIO_AUTH_TOKEN: list({
    about:
      'Auth token of the account: it signs delivery receipts, and requests where there is no API key. A ' +
      'comma-separated list rotates it: the first signs requests, each checks receipts',
    pattern: KEY_PATTERN,
    rule: KEY_RULE,
    secret: true,
  }),
  TWILIO_API_KEY: optionalText({
    about: 'SID of an API key that signs requests instead of the auth token',
    pattern: /^SK[0-9a-f]{32}$/,
    rule: 'must be SK and 32 hex digits',
  }),
  TWILIO_API_SECRET: optionalText({
    about: 'Secret of TWILIO_API_KEY',
    pattern: KEY_PATTERN,
    rule: KEY_RULE,
    secret: true,
  }),
  TWILIO_MESSAGING_SERVICE_SID: optionalText({
    about: 'The Messaging Service that texts are sent by; live mode must set it, or TWILIO_FROM_NUMBER',
    pattern: /^MG[0-9a-f]{32}$/,
    rule: 'must be MG and 32 hex digits',
  }),
  TWILIO_FROM_NUMBER: optionalText({
    about: 'The number, short code or name that texts are sent from, instead of a Messaging Service',
    pattern: /^(\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11})$/,
    rule: 'must be a number like +14155552671, a short code of 3 to 8 digits, or a name of at most 11 letters and digits',
  }),
  TWILIO_API_BASE_URL: optionalBaseUrl({
    about:
      'Where the API is: a region, a gateway, or a fake for tests. Plain http only on this machine. Default ' +
      'https://api.twilio.com',
  }),
  TWILIO_TIMEOUT_MS: wholeNumber(5000, {
    min: 100,
    max: 5000,
    about: 'Milliseconds that sending a text may take, all tries together',
  }),
};

/** @returns nothing in test mode. Reports what live mode lacks, and halves of pairs in either. */
export function twilioConfig(
  values: Values<typeof TWILIO_VARIABLES>,
  { isLive, context }: { isLive: boolean; context: SliceContext },
): TwilioConfig | undefined {
  const {
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authTokens,
    TWILIO_API_KEY: keySid,
    TWILIO_API_SECRET: keySecret,
    TWILIO_MESSAGING_SERVICE_SID: messagingServiceSid,
    TWILIO_FROM_NUMBER: from,
    TWILIO_API_BASE_URL: apiBaseUrl = 'https://api.twilio.com',
    TWILIO_TIMEOUT_MS: timeoutMs,
  } = values;
  const mustBeSet = (name: string, reason: string) => context.fault(name, `must be set: ${reason}`);
  if (keySid === undefined && keySecret !== undefined) mustBeSet('TWILIO_API_KEY', 'TWILIO_API_SECRET is');
  if (keySid !== undefined && keySecret === undefined) mustBeSet('TWILIO_API_SECRET', 'TWILIO_API_KEY is');
  if (messagingServiceSid !== undefined && from !== undefined) {
    context.fault('TWILIO_FROM_NUMBER', 'is set as well as TWILIO_MESSAGING_SERVICE_SID: keep one');
  }
  if (!isPrivate(apiBaseUrl)) {
    context.fault('TWILIO_API_BASE_URL', 'must start with https://; http:// is for this machine only');
  }
  if (!isLive) return undefined;
  if (accountSid === undefined) mustBeSet('TWILIO_ACCOUNT_SID', 'SMS_MODE is live');
  if (authTokens.length === 0 && keySid === undefined && keySecret === undefined) {
    mustBeSet('TWILIO_AUTH_TOKEN', 'SMS_MODE is live, without a TWILIO_API_KEY');
  }
  if (messagingServiceSid === undefined && from === undefined) {
    mustBeSet('TWILIO_MESSAGING_SERVICE_SID', 'SMS_MODE is live, without a TWILIO_FROM_NUMBER');
  }
  return {
    accountSid: accountSid ?? '',
    authTokens,
    apiKey: keySid === undefined || keySecret === undefined ? undefined : { sid: keySid, secret: keySecret },
    sender: messagingServiceSid === undefined ? { from: from ?? '' } : { messagingServiceSid },
    apiBaseUrl,
    timeoutMs,
  };
}

// Who is on the way would read the codes, and the token that sends texts at the operator's cost.
function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
