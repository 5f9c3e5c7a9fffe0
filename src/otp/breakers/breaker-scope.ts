import { AsYouType } from 'libphonenumber-js/max';

import { COUNTRIES } from '../../platform/phone-number.js';

/** What a breaker stands for, from the widest to the narrowest. */
export type ScopeKind = 'service' | 'country' | 'prefix';

export interface Scope {
  /** `service`, `country:BR`, `prefix:+551196123`. */
  name: string;
  kind: ScopeKind;
  /** As in `send_counters`: empty, an ISO 3166-1 code, the digits of a number without its last four. */
  key: string;
}

/** For those who write one. */
export const BREAKER_SCOPES =
  'service, country:<ISO 3166-1 code> or prefix:+<digits of a number without the last four>';

export const SERVICE: Scope = { name: 'service', kind: 'service', key: '' };

export function countryScope(country: string): Scope {
  return { name: `country:${country}`, kind: 'country', key: country };
}

export function prefixScope(prefix: string): Scope {
  return { name: `prefix:${prefix}`, kind: 'prefix', key: prefix };
}

// A number has 15 digits at most (E.164), and the last four are no part of it.
const PREFIX = /^\+[1-9][0-9]{1,10}$/;

/** As columns for `unnest`: names, kinds, keys. */
export function columnsOf(scopes: readonly Scope[]): [names: string[], kinds: string[], keys: string[]] {
  return [scopes.map(({ name }) => name), scopes.map(({ kind }) => kind), scopes.map(({ key }) => key)];
}

/** The scope of a name; nothing where no breaker can have it. */
export function parseScope(name: string): Scope | undefined {
  if (name === SERVICE.name) return SERVICE;
  const [kind, key = '', ...more] = name.split(':');
  if (more.length > 0) return undefined;
  if (kind === 'country' && COUNTRIES.has(key)) return countryScope(key);
  if (kind === 'prefix' && PREFIX.test(key)) return prefixScope(key);
  return undefined;
}

/** The country whose numbers begin so, ISO 3166-1 alpha-2; nothing where that cannot be told. */
export function countryOfPrefix(prefix: string): string | undefined {
  const typed = new AsYouType();
  typed.input(prefix);
  return typed.getCountry();
}
