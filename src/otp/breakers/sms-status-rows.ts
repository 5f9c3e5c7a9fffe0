import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import type { BreakerReason } from './breaker-rows.js';
import { columnsOf, parseScope, type Scope } from './breaker-scope.js';
import type { BreakerMode } from './sms-breaker.entity.js';

// What the overview of breakers reads. Each read is bounded, however many prefixes an attack has touched.

/** The newest so many hours of prefixes are looked through for the worst. */
const PREFIX_HOURS = 10_000;
/** Breakers that are open or held are shown up to so many. */
const IN_FORCE = 500;
/** A country's decisions are looked for among the newest so many sends. */
const RECENT_SENDS = 1000;

interface Unverified {
  key: string;
  unverified: number;
}

const unverifiedByKey = (rows: string) =>
  `SELECT key, sum(sends - verified)::integer AS unverified FROM (${rows}) AS counted GROUP BY key`;

const countries = statement<Unverified>(
  'sms_status_countries',
  unverifiedByKey(
    `SELECT key, sends, verified FROM send_counters WHERE scope = 'country' AND span = 60 AND starts_at >= $1`,
  ),
);

const prefixes = statement<Unverified>(
  'sms_status_prefixes',
  unverifiedByKey(
    `SELECT key, sends, verified FROM send_counters WHERE scope = 'prefix' AND span = 60 AND starts_at >= $1
     ORDER BY starts_at DESC LIMIT ${PREFIX_HOURS}`,
  ),
);

/** Countries with sends since a time, those with the most unverified ones first. */
export async function worstCountries(manager: EntityManager, since: Date): Promise<string[]> {
  return worstFirst(await countries(manager, [since]));
}

/** Prefixes likewise; where there are very many, those of the newest hours. */
export async function worstPrefixes(manager: EntityManager, since: Date): Promise<string[]> {
  return worstFirst(await prefixes(manager, [since]));
}

function worstFirst(rows: readonly Unverified[]): string[] {
  // Of equals always the same come first.
  const byKey = (one: Unverified, other: Unverified) => (one.key < other.key ? -1 : 1);
  return [...rows]
    .sort((one, other) => other.unverified - one.unverified || byKey(one, other))
    .map(({ key }) => key);
}

const inForce = statement<{ scope: string }>(
  'sms_status_in_force',
  `SELECT scope FROM sms_breakers WHERE opened_at IS NOT NULL OR mode <> 'auto'
   ORDER BY changed_at DESC LIMIT ${IN_FORCE}`,
);

/** Scopes whose breakers are open or held by an administrator, the newest first. */
export async function scopesInForce(manager: EntityManager): Promise<Scope[]> {
  const rows = await inForce(manager, []);
  return rows.flatMap(({ scope }) => parseScope(scope) ?? []);
}

/** A breaker, and what went to its scope. */
export interface Figures {
  mode: BreakerMode | null;
  opened_at: Date | null;
  open_until: Date | null;
  reason: BreakerReason | null;
  sends_1h: number;
  sends_24h: number;
  verified: number;
  delivered: number;
  refused: number;
}

const figures = statement<Figures & { scope: string }>(
  'sms_status_figures',
  `SELECT s.scope, b.mode, b.opened_at, b.open_until, b.reason,
          hour.sends AS sends_1h, day.sends AS sends_24h, day.verified, day.delivered, day.refused
   FROM unnest($1::text[], $2::text[], $3::text[]) AS s (scope, kind, key)
   LEFT JOIN LATERAL (
     -- With a limit, each is looked up by its key, however many there are.
     SELECT mode, opened_at, open_until, reason FROM sms_breakers WHERE scope = s.scope LIMIT 1
   ) AS b ON true
   CROSS JOIN LATERAL (
     SELECT coalesce(sum(sends), 0)::integer AS sends FROM send_counters c
     WHERE c.scope = s.kind AND c.key = s.key AND c.span = 1 AND c.starts_at > $4
   ) AS hour
   CROSS JOIN LATERAL (
     SELECT coalesce(sum(sends), 0)::integer AS sends, coalesce(sum(verified), 0)::integer AS verified,
            coalesce(sum(delivered), 0)::integer AS delivered, coalesce(sum(refused), 0)::integer AS refused
     FROM send_counters c
     WHERE c.scope = s.kind AND c.key = s.key AND c.span = 60 AND c.starts_at > $5
   ) AS day`,
);

/** By the name of the scope. */
export async function readFigures(
  manager: EntityManager,
  scopes: readonly Scope[],
  { hourAgo, dayAgo }: { hourAgo: Date; dayAgo: Date },
): Promise<ReadonlyMap<string, Figures>> {
  const rows = await figures(manager, [...columnsOf(scopes), hourAgo, dayAgo]);
  return new Map(rows.map((row) => [row.scope, row]));
}

/** Why a code was sent as it was: no number, and no address. */
export interface SendDecision {
  sent_at: Date;
  country: string;
  prefix: string;
  code_length: number;
  decision: object;
}

const decisions = statement<SendDecision>(
  'sms_status_decisions',
  `SELECT sent_at, country, prefix, code_length, decision
   FROM (SELECT id, sent_at, country, prefix, code_length, decision FROM phone_sends
         ORDER BY id DESC LIMIT ${RECENT_SENDS}) AS recent
   WHERE $1::text IS NULL OR country = $1
   ORDER BY id DESC LIMIT $2`,
);

/** Of the newest sends. */
export function newestDecisions(
  manager: EntityManager,
  { country, limit }: { country: string | undefined; limit: number },
): Promise<SendDecision[]> {
  return decisions(manager, [country, limit]);
}
