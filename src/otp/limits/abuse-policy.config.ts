import { defineSlice } from '../../platform/config/slice.js';
import { oneOf, wholeNumber } from '../../platform/config/variable.js';

/** Injection token of {@link AbusePolicyConfig}. */
export const ABUSE_POLICY_CONFIG = Symbol('ABUSE_POLICY_CONFIG');

/** How many codes numbers and addresses may ask for, and how many guesses may fail, before something happens. */
export interface AbusePolicyConfig {
  /** Whether codes grow under attack. Else the number takes a few failed guesses a month, and then none. */
  escalation: boolean;
  phoneSends: {
    perHour: number;
    perDay: number;
    /** Of `perDay`, what one address may ask for and not use. */
    perAddressPerDay: number;
  };
  /** Floors of what one address may do, however few sign in from it. */
  address: {
    unverifiedSends: { perHour: number; perDay: number };
    pendingSends: number;
    failures: { perHour: number; perDay: number };
    countriesPerDay: number;
  };
  /** Floors of the service-wide rule. */
  serviceFailures: { perHour: number; perDay: number };
}

export const abusePolicyConfig = defineSlice({
  token: ABUSE_POLICY_CONFIG,
  title: 'Abuse policy',
  variables: {
    OTP_ESCALATION: oneOf(
      ['on', 'off'],
      'on',
      'on: codes grow with failed guesses. off: they never do, and a number takes 7 failed guesses in 30 days',
    ),
    PHONE_SENDS_PER_HOUR: wholeNumber(5, { about: 'Codes for one number in an hour' }),
    PHONE_SENDS_PER_DAY: wholeNumber(8, { about: 'Codes for one number in 24 hours' }),
    PHONE_SENDS_PER_ADDRESS_PER_DAY: wholeNumber(4, {
      about: 'Of these, codes that one address asks for and does not use',
    }),
    IP_UNVERIFIED_SENDS_PER_HOUR: wholeNumber(10, {
      about: 'Unused codes of one address in an hour before its codes grow; at least 30 % of its sends',
    }),
    IP_UNVERIFIED_SENDS_PER_DAY: wholeNumber(30, { about: 'The same in 24 hours' }),
    IP_PENDING_SENDS: wholeNumber(50, {
      about: 'Codes under way for one address; at least twice the numbers that signed in from it in 24 hours',
    }),
    IP_FAILURES_PER_HOUR: wholeNumber(15, {
      about: 'Failed guesses of one address in an hour before its codes grow; at least 20 % of its sign-ins',
    }),
    IP_FAILURES_PER_DAY: wholeNumber(30, { about: 'The same in 24 hours' }),
    IP_COUNTRIES_PER_DAY: wholeNumber(3, {
      about: 'Countries to which one address may leave codes unused in 24 hours',
    }),
    SERVICE_FAILURES_PER_HOUR: wholeNumber(10, {
      about: 'Failed guesses of everybody in an hour before all codes grow; at least 4 times the median hour',
    }),
    SERVICE_FAILURES_PER_DAY: wholeNumber(30, {
      about: 'The same in 24 hours; at least 5 % of the codes guessed right',
    }),
  },
  build: (values): AbusePolicyConfig => ({
    escalation: values.OTP_ESCALATION === 'on',
    phoneSends: {
      perHour: values.PHONE_SENDS_PER_HOUR,
      perDay: values.PHONE_SENDS_PER_DAY,
      perAddressPerDay: values.PHONE_SENDS_PER_ADDRESS_PER_DAY,
    },
    address: {
      unverifiedSends: {
        perHour: values.IP_UNVERIFIED_SENDS_PER_HOUR,
        perDay: values.IP_UNVERIFIED_SENDS_PER_DAY,
      },
      pendingSends: values.IP_PENDING_SENDS,
      failures: { perHour: values.IP_FAILURES_PER_HOUR, perDay: values.IP_FAILURES_PER_DAY },
      countriesPerDay: values.IP_COUNTRIES_PER_DAY,
    },
    serviceFailures: { perHour: values.SERVICE_FAILURES_PER_HOUR, perDay: values.SERVICE_FAILURES_PER_DAY },
  }),
});
