import { defineSlice } from '../config/slice.js';
import { oneOf } from '../config/variable.js';

/** Injection token of {@link LogConfig}. */
export const LOG_CONFIG = Symbol('LOG_CONFIG');

export interface LogConfig {
  level: (typeof LEVELS)[number];
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const logConfig = defineSlice({
  token: LOG_CONFIG,
  title: 'Logs',
  variables: { LOG_LEVEL: oneOf(LEVELS, 'info', 'The least that is logged') },
  build: (values): LogConfig => ({ level: values.LOG_LEVEL }),
});
