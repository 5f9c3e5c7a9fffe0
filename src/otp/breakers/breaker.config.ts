import { defineSlice } from '../../platform/config/slice.js';
import { oneOf, wholeNumber } from '../../platform/config/variable.js';

/** Injection token of {@link BreakerConfig}. */
export const BREAKER_CONFIG = Symbol('BREAKER_CONFIG');

/** `record` decides and writes down, and lets every send pass; `off` does not look. */
export const BREAKER_SETTINGS = ['on', 'record', 'off'] as const;
export type BreakerSetting = (typeof BREAKER_SETTINGS)[number];

export interface BreakerConfig {
  setting: BreakerSetting;
  /** Unverified sends to numbers without an account in 24 hours. */
  dailyCap: number;
}

export const breakerConfig = defineSlice({
  token: BREAKER_CONFIG,
  title: 'Breakers',
  variables: {
    SMS_BREAKER: oneOf(
      BREAKER_SETTINGS,
      'on',
      'Stop texts that nobody enters the codes of; record: decide and write down only',
    ),
    SMS_DAILY_CAP: wholeNumber(1000, {
      about:
        'Texts to numbers without an account in 24 hours whose code is not entered; then only known numbers',
    }),
  },
  build: (values, context): BreakerConfig => {
    const { SMS_BREAKER: setting, SMS_DAILY_CAP: dailyCap } = values;
    if (context.production && setting !== 'on') {
      context.warn(`SMS_BREAKER=${setting}: whoever wants texts sent to numbers of theirs is not stopped`);
    }
    return { setting, dailyCap };
  },
});
