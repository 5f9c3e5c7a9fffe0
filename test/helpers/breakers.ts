import { randomBytes, randomInt, randomUUID } from 'node:crypto';

import { atOnce, type TestApp, type TestClock } from './app.js';

/** What `SmsBreakers` of an app does for whoever sends codes. */
export interface Breakers {
  look(target: Target, now: Date): Promise<Look>;
  admit(transaction: unknown, look: Look, now: Date): Promise<Admitted>;
  countRefused(look: Look, now: Date): Promise<void>;
  openByProvider(prefix: string, now: Date): Promise<void>;
}

export interface Target {
  country: string;
  prefix: string;
  isKnown: boolean;
}

interface Look {
  open: { scope: { name: string } }[];
}

interface Admitted {
  decision: Record<string, unknown>;
  trickleOf: string | null;
}

/** What came of a send: the breaker that it went through, `passed`, or the seconds that it is to wait. */
export type Outcome = { trickleOf: string } | 'passed' | { retryAfter: number };

export function breakersOf(app: TestApp): Promise<Breakers> {
  return app.started.provider('otp/breakers/sms-breakers.service.js', 'SmsBreakers');
}

/** A clock that stands still until it is moved, so that what takes long on a busy machine takes no time here. */
export function aStoppedClock(): TestClock {
  let time = Date.UTC(2026, 2, 1, 12, 0, 30);
  return {
    now: () => new Date(time),
    advance: (seconds) => {
      time += seconds * 1000;
    },
  };
}

/** A number of a range that no other test has, in a country that it says. */
export function aTarget(more: Partial<Target> = {}): Target {
  return { country: 'BR', prefix: `+5511${randomInt(9_000_000, 9_999_999)}`, isKnown: false, ...more };
}

/** Counts sends of some minutes ago for a scope, as a signup does. */
export async function countSends(
  app: TestApp,
  scope: string,
  {
    minutesAgo,
    unverified = 0,
    verified = 0,
  }: { minutesAgo: number; unverified?: number; verified?: number },
): Promise<void> {
  const [kind, key = ''] = scope.split(':');
  const sentAt = new Date(app.clock.now().getTime() - minutesAgo * 60_000);
  for (const span of [1, 60]) {
    const startsAt = new Date(Math.floor(sentAt.getTime() / span / 60_000) * span * 60_000);
    await app.sql(
      `INSERT INTO send_counters AS c (scope, key, span, starts_at, country, sends, verified, new_sends, new_verified)
       VALUES ($1, $2, $3, $4, '', $5, $6, $5, $6)
       ON CONFLICT ON CONSTRAINT send_counters_pkey DO UPDATE SET
         sends = c.sends + $5, verified = c.verified + $6,
         new_sends = c.new_sends + $5, new_verified = c.new_verified + $6`,
      [kind, key, span, startsAt, unverified + verified, verified],
    );
  }
}

/** Keeps a send that went through an open breaker, as a signup does. */
export async function keepTrickle(app: TestApp, scope: string, isVerified: boolean): Promise<void> {
  const now = app.clock.now();
  await app.sql(
    `INSERT INTO phone_sends (id, phone_key, sent_at, address_key, network_key, country, prefix, is_new, code_length,
                              decision, trickle_of, verified_at, verified_from)
     VALUES ($1, $2, $3, 'address', 'network', 'BR', '+551196123', true, 4, '{}', $4, $5, $6)`,
    [randomUUID(), randomBytes(32), now, scope, isVerified ? now : null, isVerified ? 'address' : null],
  );
}

/** Asks for a send as a signup does, but for the text. */
export async function trySend(app: TestApp, target: Target): Promise<Outcome> {
  const breakers = await breakersOf(app);
  const now = app.clock.now();
  const look = await breakers.look(target, now);
  try {
    const { trickleOf } = await app.started.transaction((transaction) =>
      breakers.admit(transaction, look, now),
    );
    return trickleOf === null ? 'passed' : { trickleOf };
  } catch (error) {
    const { code, members } = error as { code?: string; members?: { retry_after: number } };
    if (code !== 'sms_unavailable' || !members) throw error;
    return { retryAfter: members.retry_after };
  } finally {
    await breakers.countRefused(look, now);
  }
}

/** What an attack on so many prefixes leaves behind: a send to each, breakers that were open, and some that are. */
export async function attack(app: TestApp, prefixes: number, open: number): Promise<void> {
  const now = app.clock.now();
  const values = [now, prefixes];
  const prefix = `'+99' || lpad(n::text, 8, '0')`;
  await app.sql(
    `INSERT INTO send_counters (scope, key, span, starts_at, country, sends, new_sends)
     SELECT 'prefix', ${prefix}, 60, date_trunc('hour', $1::timestamptz - n % 20 * interval '1 hour'), '', 1, 1
     FROM generate_series(1, $2::integer) AS n`,
    values,
  );
  await app.sql(
    `INSERT INTO phone_sends (id, phone_key, sent_at, address_key, network_key, country, prefix, is_new, code_length,
                              decision)
     SELECT gen_random_uuid(), decode(lpad(to_hex(n), 64, '0'), 'hex'), $1::timestamptz, n::text, n::text, 'BR', ${prefix}, true, 4, '{}'
     FROM generate_series(1, $2::integer) AS n`,
    values,
  );
  await app.sql(
    `INSERT INTO sms_breakers (scope, opened_at, open_until, trips, reason, changed_at)
     SELECT 'prefix:' || ${prefix}, $1::timestamptz, $1::timestamptz + interval '1 hour', 1, '{}'::jsonb, $1::timestamptz
     FROM generate_series(1, $2::integer) AS n
     UNION ALL
     SELECT 'prefix:' || ${prefix}, NULL, NULL, 1, NULL, $1::timestamptz FROM generate_series($2::integer + 1, 6000) AS n`,
    [now, open],
  );
  await app.sql('ANALYZE send_counters, phone_sends, sms_breakers');
}

export type AttackedPrefix = Target & { scope: string };

/** A prefix whose breaker has come to open. */
export async function anAttackedPrefix(app: TestApp): Promise<AttackedPrefix> {
  const target = aTarget();
  const scope = `prefix:${target.prefix}`;
  await countSends(app, scope, { minutesAgo: 15, unverified: 11 });
  return { ...target, scope };
}

/** One whose breaker is open, and has just let a send through. */
export async function anOpenPrefix(app: TestApp): Promise<AttackedPrefix> {
  const target = await anAttackedPrefix(app);
  expect(await trySend(app, target)).toEqual({ trickleOf: target.scope });
  return target;
}

export function refused(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter((outcome) => typeof outcome === 'object' && 'retryAfter' in outcome);
}

export async function breakerRow(app: TestApp, scope: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await app.sql('SELECT * FROM sms_breakers WHERE scope = $1', [scope]);
  return row;
}

export async function openSecondsOf(app: TestApp, scope: string): Promise<number> {
  const row = await breakerRow(app, scope);
  return (Number(row?.['open_until']) - Number(row?.['opened_at'])) / 1000;
}

/** What the audit log says of a breaker, the oldest first. */
export function auditOf(app: TestApp, scope: string): Promise<{ action: string; payload: Payload }[]> {
  return app.sql(
    `SELECT actor_id, action, object_type, object_id, payload FROM audit_log
     WHERE action LIKE 'sms\\_breaker%' AND payload->>'scope' = $1 ORDER BY id`,
    [scope],
  );
}

type Payload = Record<string, unknown>;

/** So often at once, on the replicas in turn. */
export function inTurnOn<T>(
  replicas: readonly [TestApp, TestApp],
  count: number,
  work: (on: TestApp) => Promise<T>,
): Promise<T[]> {
  return atOnce(count, (index) => work(replicas[index % 2 ? 0 : 1]));
}
