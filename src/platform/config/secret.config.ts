import { defineSlice } from './slice.js';
import { list } from './variable.js';

export interface SecretConfig {
  /** The first makes, all check. Empty outside production: one is generated on first start. */
  secrets: readonly string[];
}

export const secretConfig = defineSlice({
  token: Symbol('SECRET_CONFIG'),
  title: 'Secret',
  variables: {
    APP_SECRET: list({
      about:
        'The master secret that every key is derived from; `openssl rand -base64 48` makes one. ' +
        'Outside production one is generated. A comma-separated list rotates it: the first makes, all check',
      pattern: /^.{32,}$/,
      rule: 'must be at least 32 characters each',
      secret: true,
    }),
  },
  build: (values, context): SecretConfig => {
    if (context.production && values.APP_SECRET.length === 0) {
      context.fault('APP_SECRET', 'must be set in production: `openssl rand -base64 48` makes one');
    }
    return { secrets: values.APP_SECRET };
  },
});
