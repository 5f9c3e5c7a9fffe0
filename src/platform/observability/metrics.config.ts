import { defineSlice } from '../config/slice.js';
import { optionalText } from '../config/variable.js';

/** Injection token of {@link MetricsConfig}. */
export const METRICS_CONFIG = Symbol('METRICS_CONFIG');

export interface MetricsConfig {
  isServed: boolean;
  /** Absent: whoever asks may read. */
  token: string | undefined;
}

export const metricsConfig = defineSlice({
  token: METRICS_CONFIG,
  title: 'Metrics',
  variables: {
    METRICS_TOKEN: optionalText({
      about: 'The bearer token that /metrics asks for. Without it /metrics is open; in production, not there',
      pattern: /^[\x21-\x7e]{16,}$/,
      rule: 'must be at least 16 visible ASCII characters',
      secret: true,
    }),
  },
  build: ({ METRICS_TOKEN: token }, { production }): MetricsConfig => ({
    isServed: token !== undefined || !production,
    token,
  }),
});
