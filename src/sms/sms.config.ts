import { defineSlice } from '../platform/config/slice.js';
import { list, oneOf, optionalText, text } from '../platform/config/variable.js';
import { TWILIO_VARIABLES, type TwilioConfig, twilioConfig } from './twilio/twilio.config.js';

/** Injection token of {@link SmsConfig}. */
export const SMS_CONFIG = Symbol('SMS_CONFIG');

export interface SmsConfig {
  /** `test` sends nothing: texts go to the inbox. */
  mode: 'test' | 'live';
  /** Absent in test mode. */
  twilio: TwilioConfig | undefined;
  /** As it stands in texts. */
  appName: string;
  /** Host in the last line of texts, for autofill; absent: the host of `PUBLIC_URL`. */
  domain: string | undefined;
  /** Hashes for Android's SMS Retriever, by the name that clients send as `app`. */
  androidAppHashes: ReadonlyMap<string, string>;
  /** The folder of the host's own templates. */
  templatesDirectory: string | undefined;
}

export const smsConfig = defineSlice({
  token: SMS_CONFIG,
  title: 'Text messages',
  variables: {
    SMS_MODE: oneOf(
      ['test', 'live'],
      undefined,
      'test sends nothing: texts go to the inbox at /dev/inbox; live sends them by Twilio. Default test; production ' +
        'must set it',
    ),
    ...TWILIO_VARIABLES,
    SMS_APP_NAME: text('Latchkey', {
      about: 'The name of the app in texts',
      // Phones would take a long number for the code, and make a link of example.com, which carriers throw away.
      pattern: /^(?!.*\d{4})(?!.*[A-Za-z0-9]\.[A-Za-z]{2})[A-Za-z0-9 .,&'()+-]{1,30}$/,
      rule: "must be 1 to 30 letters, digits, spaces or .,&'()+-, with no four digits in a row and no name like example.com",
    }),
    SMS_DOMAIN: optionalText({
      about:
        'The host in the last line of texts, which lets phones fill the code in. Default: host of PUBLIC_URL',
      pattern: /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/,
      rule: 'must be a host name of at most 63 characters, without scheme, port and path',
    }),
    SMS_ANDROID_APP_HASHES: list({
      about: "Hashes of Android's SMS Retriever as name=hash, the name being what clients send as `app`",
      pattern: /^[a-z][a-z0-9_-]{0,31}=[A-Za-z0-9+/]{11}$/,
      rule: 'must be entries like android=FA+9qCX9VSu, separated by commas',
    }),
    SMS_TEMPLATES_DIR: optionalText({
      about: 'A folder with texts of your own, as <locale>.json (docs/OPERATIONS.md)',
      rule: 'must be a path of at most 2000 characters',
    }),
  },
  build: (values, context): SmsConfig => {
    const { SMS_MODE: mode } = values;
    if (context.production && mode === undefined) {
      context.fault('SMS_MODE', 'must be set in production');
    }
    if (context.production && mode === 'test') {
      context.warn(
        'SMS_MODE=test in production: no text is sent, and whoever reaches /dev/inbox reads every code',
      );
    }
    return {
      mode: mode ?? 'test',
      twilio: twilioConfig(values, { isLive: mode === 'live', context }),
      appName: values.SMS_APP_NAME,
      domain: values.SMS_DOMAIN,
      androidAppHashes: new Map(values.SMS_ANDROID_APP_HASHES.map((entry) => splitAt(entry, '='))),
      templatesDirectory: values.SMS_TEMPLATES_DIR,
    };
  },
});

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
}
