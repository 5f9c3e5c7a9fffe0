import { defineSlice } from '../config/slice.js';
import { oneOf } from '../config/variable.js';

export interface LogConfig {
  level: (typeof LEVELS)[number];
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const logConfig = defineSlice({
  token: Symbol('LOG_CONFIG'),
  title: 'Logs',
  variables: { LOG_LEVEL: oneOf(LEVELS, 'info', 'The least that is logged') },
  build: (values): LogConfig => ({ level: values.LOG_LEVEL }),
});
