import { defineSlice } from '../../platform/config/slice.js';
import { text, wholeNumber } from '../../platform/config/variable.js';

/** Injection token of {@link TokensConfig}. */
export const TOKENS_CONFIG = Symbol('TOKENS_CONFIG');

export interface TokensConfig {
  issuer: string;
  audience: string;
  accessTokenTtlSeconds: number;
  /** A session ends so long after its last use. */
  refreshTokenTtlSeconds: number;
  /** A session ends so long after its start, however it is used. */
  sessionMaxSeconds: number;
  /** So long after a refresh its token may be repeated, for the answer that was lost. */
  refreshGraceSeconds: number;
}

const DAY_SECONDS = 24 * 60 * 60;

export const tokensConfig = defineSlice({
  token: TOKENS_CONFIG,
  title: 'Tokens and sessions',
  variables: {
    TOKEN_ISSUER: text('latchkey', { about: 'iss of access tokens' }),
    TOKEN_AUDIENCE: text('latchkey', { about: 'aud of access tokens' }),
    ACCESS_TOKEN_TTL_SECONDS: wholeNumber(900, { max: 3600, about: 'Life of an access token in seconds' }),
    REFRESH_TOKEN_TTL_DAYS: wholeNumber(30, {
      max: 365,
      about: 'Days without use after which a session ends',
    }),
    SESSION_MAX_DAYS: wholeNumber(180, { max: 3650, about: 'Days after its start when a session ends' }),
    REFRESH_GRACE_SECONDS: wholeNumber(30, {
      max: 300,
      about: 'Seconds in which a refresh may be repeated with the same token, for an answer that was lost',
    }),
  },
  build: (values): TokensConfig => ({
    issuer: values.TOKEN_ISSUER,
    audience: values.TOKEN_AUDIENCE,
    accessTokenTtlSeconds: values.ACCESS_TOKEN_TTL_SECONDS,
    refreshTokenTtlSeconds: values.REFRESH_TOKEN_TTL_DAYS * DAY_SECONDS,
    sessionMaxSeconds: values.SESSION_MAX_DAYS * DAY_SECONDS,
    refreshGraceSeconds: values.REFRESH_GRACE_SECONDS,
  }),
});
