import { parseAddressRange } from '../config/address-range.js';
import { defineSlice } from '../config/slice.js';
import { list, oneOf, optionalText, optionalUrl, wholeNumber } from '../config/variable.js';

/** Injection token of {@link ServerConfig}. */
export const SERVER_CONFIG = Symbol('SERVER_CONFIG');

export interface ServerConfig {
  production: boolean;
  /** 0 picks a free port. */
  port: number;
  host: string;
  /** Absent: `http://localhost:<port>`, known once the server listens. */
  publicUrl: string | undefined;
  /** Swagger UI and the OpenAPI document. */
  docs: boolean;
  /** Proxies whose `X-Forwarded-For` is believed: a number of hops, or addresses and CIDR ranges. */
  trustProxy: number | readonly string[] | false;
  corsOrigins: readonly string[];
}

export const serverConfig = defineSlice({
  token: SERVER_CONFIG,
  title: 'Server',
  variables: {
    NODE_ENV: optionalText({
      about: 'production: no default secrets, no embedded database, no test mode unless asked for',
    }),
    PORT: wholeNumber(3000, {
      min: 0,
      max: 65_535,
      about: 'Port to listen on; 0 picks a free one and prints it',
    }),
    HOST: optionalText({ about: 'Address to listen on. Default 127.0.0.1, in production 0.0.0.0' }),
    PUBLIC_URL: optionalUrl(['http', 'https'], {
      about: 'What links are made of. Default http://localhost:<port>',
    }),
    TRUST_PROXY: list({
      about: 'Reverse proxies to believe: a number of hops, or their addresses and ranges. Default none',
    }),
    CORS_ORIGINS: list({
      about: 'Browser origins that may call the API. Default none',
      pattern: /^https?:\/\/[^/\s]+$/,
      rule: 'must be origins like https://app.example.com, separated by commas',
    }),
    DOCS: oneOf(['on', 'off'], undefined, 'Swagger UI at /docs. Default on, in production off'),
  },
  build: (values, context): ServerConfig => ({
    production: context.production,
    port: values.PORT,
    host: values.HOST ?? (context.production ? '0.0.0.0' : '127.0.0.1'),
    publicUrl: values.PUBLIC_URL?.replace(/\/+$/, ''),
    docs: values.DOCS ? values.DOCS === 'on' : !context.production,
    trustProxy: trustedProxies(values.TRUST_PROXY, () =>
      context.fault('TRUST_PROXY', 'must be a number of hops (1 to 10), or addresses and CIDR ranges'),
    ),
    corsOrigins: values.CORS_ORIGINS,
  }),
});

function trustedProxies(items: readonly string[], fault: () => void): ServerConfig['trustProxy'] {
  if (items.length === 0) return false;
  const [only = ''] = items;
  if (items.length === 1 && /^([1-9]|10)$/.test(only)) return Number(only);
  if (items.some((item) => !parseAddressRange(item))) fault();
  return items;
}
