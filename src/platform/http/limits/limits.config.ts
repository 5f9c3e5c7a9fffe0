import { defineSlice } from '../../config/slice.js';
import { wholeNumber } from '../../config/variable.js';

/** Injection token of {@link LimitsConfig}. */
export const LIMITS_CONFIG = Symbol('LIMITS_CONFIG');

/** Requests in a minute, over all routes together. */
export interface LimitsConfig {
  perSession: number;
  perAddress: number;
}

export const limitsConfig = defineSlice({
  token: LIMITS_CONFIG,
  title: 'Rate limits',
  variables: {
    RATE_LIMIT_PER_MINUTE: wholeNumber(600, {
      about: 'Requests of a session in a minute, on each replica',
    }),
    RATE_LIMIT_ANONYMOUS_PER_MINUTE: wholeNumber(3000, {
      about:
        'Requests without a good access token in a minute, of one address (IPv4) or network of /64 (IPv6), on each ' +
        'replica. Thousands of phones may share an address',
    }),
  },
  build: (values): LimitsConfig => ({
    perSession: values.RATE_LIMIT_PER_MINUTE,
    perAddress: values.RATE_LIMIT_ANONYMOUS_PER_MINUTE,
  }),
});
