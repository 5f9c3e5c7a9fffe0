import type { EntityManager } from 'typeorm';

import { BreakerHistories } from './breaker-histories.js';
import { isOpenAt } from './breaker-open.js';
import { lookAtBreakers } from './breaker-look-rows.js';
import type { BreakerReason } from './breaker-rows.js';
import { serviceAlarm, verifiedRatio } from './breaker-rules.js';
import { countryOfPrefix, countryScope, prefixScope, type Scope, SERVICE } from './breaker-scope.js';
import { countsAt, windowsAt } from './breaker-windows.js';
import type { BreakerConfig, BreakerSetting } from './breaker.config.js';
import type { BreakerMode } from './sms-breaker.entity.js';
import {
  type Figures,
  newestDecisions,
  readFigures,
  scopesInForce,
  type SendDecision,
  worstCountries,
  worstPrefixes,
} from './sms-status-rows.js';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** A scope as administrators see it. */
export interface BreakerEntry {
  scope: string;
  state: 'open' | 'closed';
  mode: BreakerMode;
  /** Null while it is closed, and where an administrator holds it. */
  openUntil: Date | null;
  /** What opened it; null while it is closed. */
  reason: BreakerReason | null;
  sends1h: number;
  /** These and the following are of 24 hours. */
  sends24h: number;
  verifiedRatio: number | null;
  unverified: number;
  delivered: number;
  refused: number;
}

export interface SmsStatus {
  setting: BreakerSetting;
  service: BreakerEntry & {
    /** Unverified sends to numbers without an account in 24 hours, and how many there may be. */
    cap: { used: number; limit: number };
    /** Whether a limit of the service is used to 70 %. */
    isAlarm: boolean;
  };
  countries: readonly BreakerEntry[];
  prefixes: readonly BreakerEntry[];
  decisions: readonly SendDecision[];
}

interface StatusQuery {
  now: Date;
  /** Of countries, prefixes and decisions each; all that is open or held comes on top. */
  limit: number;
  /** Only of this one, ISO 3166-1 alpha-2. */
  country?: string | undefined;
}

/** How texts fare, and what breakers make of it: the service, and the countries and prefixes with most unverified sends. */
export async function readSmsStatus(
  manager: EntityManager,
  config: BreakerConfig,
  { now, limit, country }: StatusQuery,
): Promise<SmsStatus> {
  const since = new Date(now.getTime() - DAY_MS);
  const inForce = (await scopesInForce(manager)).filter(
    (scope) => country === undefined || isOf(scope, country),
  );
  const ofKind = (kind: Scope['kind']) => inForce.filter((scope) => scope.kind === kind);
  const worst = (await worstCountries(manager, since)).map(countryScope);
  const worstOf = (await worstPrefixes(manager, since)).map(prefixScope);
  const shown = (scopes: readonly Scope[]) =>
    (country === undefined ? scopes : scopes.filter((scope) => isOf(scope, country))).slice(0, limit);
  const countries = unique([...ofKind('country'), ...shown(worst)]);
  const prefixes = unique([...ofKind('prefix'), ...shown(worstOf)]);
  const entries = await readBreakerEntries(manager, [SERVICE, ...countries, ...prefixes], now);
  const [service, ...others] = entries;
  if (!service) throw new Error('there is always a service');
  return {
    setting: config.setting,
    service: { ...service, ...(await capOf(manager, config, now)) },
    countries: others.slice(0, countries.length).sort(worstFirst),
    prefixes: others.slice(countries.length).sort(worstFirst),
    decisions: await newestDecisions(manager, { country, limit }),
  };
}

/** In the order of the scopes. */
export async function readBreakerEntries(
  manager: EntityManager,
  scopes: readonly Scope[],
  now: Date,
): Promise<BreakerEntry[]> {
  const hourAgo = new Date(now.getTime() - HOUR_MS);
  const dayAgo = new Date(now.getTime() - DAY_MS);
  const figures = await readFigures(manager, scopes, { hourAgo, dayAgo });
  return scopes.flatMap((scope) => {
    const found = figures.get(scope.name);
    return found ? [toEntry(scope, found, now)] : [];
  });
}

function toEntry({ name }: Scope, figures: Figures, now: Date): BreakerEntry {
  const { sends_24h: sends, verified, delivered, refused } = figures;
  const { opened_at: openedAt, open_until: openUntil } = figures;
  const isOpen = isOpenAt({ openedAt, openUntil }, now);
  return {
    scope: name,
    state: isOpen ? 'open' : 'closed',
    mode: figures.mode ?? 'auto',
    openUntil: isOpen ? openUntil : null,
    reason: isOpen ? figures.reason : null,
    sends1h: figures.sends_1h,
    sends24h: sends,
    verifiedRatio: verifiedRatio({ sends, verified }),
    unverified: sends - verified,
    delivered,
    refused,
  };
}

async function capOf(
  manager: EntityManager,
  { dailyCap }: BreakerConfig,
  now: Date,
): Promise<{ cap: { used: number; limit: number }; isAlarm: boolean }> {
  const [looked] = await lookAtBreakers(manager, [SERVICE], windowsAt(now));
  if (!looked) throw new Error('there is always a service');
  const counts = countsAt(now, looked.byMinute, looked.byHour, looked.countsFrom);
  const history = await new BreakerHistories(manager).of(SERVICE, now);
  const { isAlarm, cap } = serviceAlarm(counts, history, dailyCap);
  return { cap: { used: cap.used, limit: cap.limit }, isAlarm };
}

function isOf({ kind, key }: Scope, country: string): boolean {
  return (kind === 'prefix' ? countryOfPrefix(key) : key) === country;
}

function worstFirst(one: BreakerEntry, other: BreakerEntry): number {
  return other.unverified - one.unverified || (one.scope < other.scope ? -1 : 1);
}

function unique(scopes: readonly Scope[]): Scope[] {
  return [...new Map(scopes.map((scope) => [scope.name, scope])).values()];
}
