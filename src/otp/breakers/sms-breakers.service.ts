import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { Problem } from '../../platform/http/problem.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { addCounts } from '../limits/send-counter-rows.js';
import { BreakerChanges } from './breaker-changes.js';
import { BreakerHistories } from './breaker-histories.js';
import { lookAtBreakers, type LookedAt } from './breaker-look-rows.js';
import { isOpenAt } from './breaker-open.js';
import {
  type BreakerReason,
  type BreakerState,
  claimAlarm,
  lockOpenBreakers,
  trickleThrough,
} from './breaker-rows.js';
import { serviceAlarm, TRICKLE_EVERY_MS, TRICKLE_VERIFIED, tripOf } from './breaker-rules.js';
import { countryScope, prefixScope, type Scope, SERVICE } from './breaker-scope.js';
import { countsAt, windowsAt } from './breaker-windows.js';
import { BREAKER_CONFIG, type BreakerConfig } from './breaker.config.js';

/** Whom a text is for. */
export interface SendTarget {
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** The number without its last four digits. */
  prefix: string;
  /** Whether it has signed in before, or its own device asks: such always pass, whatever is open or forced. */
  isKnown: boolean;
}

/** What breakers said of a send, as it is kept with it; empty where none was open. */
export interface BreakerDecision {
  /** The innermost that was open. */
  scope?: string;
  /** `trickle`: let through to see how it fares; `would_refuse`: in the setting `record`. */
  outcome?: 'trickle' | 'would_refuse';
  /** What had opened it, and the unverified sends that had. */
  rule?: BreakerReason['rule'];
  used?: number | null;
  limit?: number | null;
  verified_ratio?: number | null;
}

/** What was seen before a send. */
export interface BreakerLook {
  /** Of the scopes of the target, those that are open; the widest first. */
  open: readonly OpenBreaker[];
  /** Whose turn was taken, once {@link SmsBreakers.admit} has found so. */
  refusedBy: readonly Scope[];
  /** Whose turn the send takes, likewise. */
  turnOf: readonly OpenBreaker[];
}

interface OpenBreaker {
  scope: Scope;
  /** Shared by all looks of the same second. */
  state: BreakerState;
}

interface Seen {
  at: number;
  state: Promise<BreakerState>;
}

const LOOK_EVERY_MS = 1000;
/** An attack may take turns among more prefixes than that: then some are looked at twice in a second. */
const SEEN_AT_MOST = 10_000;
const ALARM_EVERY_MS = 60 * 60 * 1000;

/**
 * Stops texts that are asked for to be paid for: by prefix, country and the whole service, for numbers that have never
 * signed in. State and counters are in PostgreSQL, so replicas agree within a second.
 */
@Injectable()
export class SmsBreakers {
  private readonly seen = new Map<string, Seen>();

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(BREAKER_CONFIG) private readonly config: BreakerConfig,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly changes: BreakerChanges,
    private readonly histories: BreakerHistories,
  ) {}

  /**
   * To be called before the transaction of a send. Looks at the scopes of its number, each at most once a second, and
   * opens or closes what has come to it. One statement as a rule; none where all were looked at within the last second,
   * or the number is known.
   */
  async look({ country, prefix, isKnown }: SendTarget, now: Date): Promise<BreakerLook> {
    if (isKnown || this.config.setting === 'off') return { open: [], refusedBy: [], turnOf: [] };
    const scopes = [SERVICE, countryScope(country), prefixScope(prefix)];
    const isFresh = ({ name }: Scope) =>
      Math.abs(now.getTime() - (this.seen.get(name)?.at ?? 0)) < LOOK_EVERY_MS;
    const stale = scopes.filter((scope) => !isFresh(scope));
    if (stale.length > 0) this.lookAnew(stale, now);
    const open: OpenBreaker[] = [];
    // Read at once: others may be looked at, and these forgotten, while one is waited for.
    const states = scopes.map(({ name }) => this.seen.get(name)?.state);
    for (const [index, scope] of scopes.entries()) {
      const state = await states[index];
      if (state && isOpenAt(state, now)) open.push({ scope, state });
    }
    return { open, refusedBy: [], turnOf: [] };
  }

  /**
   * To be called in the transaction that reserves the send, when nothing else refuses it. Passes where nothing is open.
   * Otherwise one send each five minutes goes through each open breaker, under any concurrency and on any number of
   * replicas: its code says who asks. In the setting `record` all pass, and are told of.
   *
   * @returns what to keep with the send: what was decided, and the innermost breaker that it went through.
   * @throws {Problem} `sms_unavailable` with the longest wait.
   */
  async admit(
    transaction: EntityManager,
    look: BreakerLook,
    now: Date,
  ): Promise<{ decision: BreakerDecision; trickleOf: string | null }> {
    const waits = await this.takeTurn(transaction, look, now);
    if (!waits) return { decision: {}, trickleOf: null };
    const refused = look.open.filter(({ scope }) => waits.has(scope.name));
    const innermost = (refused.length > 0 ? refused : look.open).at(-1);
    if (refused.length === 0) {
      return { decision: decisionOf(innermost, 'trickle'), trickleOf: innermost?.scope.name ?? null };
    }
    look.refusedBy = refused.map(({ scope }) => scope);
    if (this.config.setting === 'record') {
      return { decision: decisionOf(innermost, 'would_refuse'), trickleOf: null };
    }
    throw new Problem('sms_unavailable', { retry_after: Math.max(...waits.values()) });
  }

  /** To be called once that transaction is committed: spares the next send a statement to find that the turn is taken. */
  keepTurn({ turnOf }: BreakerLook, now: Date): void {
    for (const { state } of turnOf) state.trickledAt = now;
  }

  /** To be called after that transaction, however it ended: counts what was refused, or would have been. */
  async countRefused({ refusedBy }: BreakerLook, now: Date): Promise<void> {
    if (refusedBy.length === 0) return;
    const events = refusedBy.map(({ kind, key }) => ({ scope: kind, key, country: '', at: now, refused: 1 }));
    await addCounts(this.db, events);
  }

  /** The provider's own protection refuses or reports a prefix: it is left alone for as long as providers block. */
  async openByProvider(prefix: string, now: Date): Promise<void> {
    if (this.config.setting === 'off') return;
    const scope = prefixScope(prefix);
    if (await this.changes.openForProvider(scope, now)) this.forget(scope);
  }

  /** Has the next send look anew. */
  forget({ name }: Scope): void {
    this.seen.delete(name);
  }

  /**
   * @returns the seconds to wait by scope, empty where the turn of all was taken; nothing where none is open any more.
   */
  private async takeTurn(
    transaction: EntityManager,
    look: BreakerLook,
    now: Date,
  ): Promise<ReadonlyMap<string, number> | undefined> {
    const { open } = look;
    look.refusedBy = [];
    look.turnOf = [];
    if (open.length === 0) return undefined;
    // A turn that is known to be taken costs no statement: an attack is refused more often than anything else is done.
    const known = waitsOf(
      open.map(({ scope, state }) => ({ ...state, scope: scope.name })),
      now,
    );
    if (known.size > 0) return known;
    const locked = await lockOpenBreakers(
      transaction,
      open.map(({ scope }) => scope.name),
      now,
    );
    if (locked.length === 0) return undefined;
    const waits = waitsOf(locked, now);
    const rowOf = ({ scope }: OpenBreaker) => locked.find((row) => row.scope === scope.name);
    if (waits.size === 0) {
      const names = locked.map(({ scope }) => scope);
      await trickleThrough(transaction, names, now);
      look.turnOf = open.filter(rowOf);
    } else {
      for (const each of open) each.state.trickledAt = rowOf(each)?.trickledAt ?? each.state.trickledAt;
    }
    return waits;
  }

  private lookAnew(scopes: readonly Scope[], now: Date): void {
    const looked = this.settleAll(scopes, now);
    for (const scope of scopes) {
      const state = looked.then((states) => states.get(scope.name) ?? CLOSED);
      const seen = { at: now.getTime(), state };
      this.seen.delete(scope.name);
      this.seen.set(scope.name, seen);
      // What failed is tried again by the next, and told to those who wait for it.
      state.catch(() => {
        if (this.seen.get(scope.name) === seen) this.seen.delete(scope.name);
      });
    }
    for (const name of this.seen.keys()) {
      if (this.seen.size <= SEEN_AT_MOST) break;
      this.seen.delete(name);
    }
  }

  private async settleAll(scopes: readonly Scope[], now: Date): Promise<Map<string, BreakerState>> {
    const states = new Map<string, BreakerState>();
    for (const looked of await lookAtBreakers(this.db, scopes, windowsAt(now))) {
      const isAsSeen = await this.settle(looked, now);
      // Another replica was faster, or an administrator: what they made of it goes.
      const [state = looked] = isAsSeen ? [] : await lookAtBreakers(this.db, [looked.scope], windowsAt(now));
      states.set(looked.scope.name, state);
    }
    return states;
  }

  /** Opens or closes a breaker where that has come. @returns false where it is no longer as it was seen. */
  private async settle(looked: LookedAt, now: Date): Promise<boolean> {
    const { scope, mode, openedAt, openUntil, trickleVerified } = looked;
    if (mode !== 'auto') return true;
    const counts = countsAt(now, looked.byMinute, looked.byHour, looked.countsFrom);
    const history = await this.histories.of(scope, now);
    if (scope.kind === 'service')
      await this.alarm(looked, serviceAlarm(counts, history, this.config.dailyCap), now);
    const trip = tripOf(scope.kind, counts, history, this.config.dailyCap);
    if (!openedAt) {
      if (trip) await this.changes.open(looked, trip, now);
      return !trip;
    }
    const isOver = openUntil !== null && openUntil <= now;
    if (!isOver && trickleVerified < TRICKLE_VERIFIED) return true;
    // What the cap is for is a bill, and that has not become smaller.
    if (trip?.rule !== 'daily_cap') {
      await this.changes.close({ scope, openedAt }, isOver ? 'time' : 'trickle', now);
    } else if (isOver) {
      await this.changes.open(looked, trip, now);
    } else return true;
    return false;
  }

  private async alarm(
    { scope, alarmedAt }: LookedAt,
    { isAlarm, cap }: ReturnType<typeof serviceAlarm>,
    now: Date,
  ): Promise<void> {
    const notSince = new Date(now.getTime() - ALARM_EVERY_MS);
    if (!isAlarm || (alarmedAt && alarmedAt > notSince)) return;
    if (!(await claimAlarm(this.db, scope.name, now, notSince))) return;
    const { used, limit } = cap;
    this.log.warn(
      { breaker: scope.name, used, limit },
      'texts to numbers without an account come near their limit',
    );
  }
}

const CLOSED: BreakerState = {
  mode: 'auto',
  openedAt: null,
  openUntil: null,
  reason: null,
  trickledAt: null,
  countsFrom: null,
  alarmedAt: null,
};

/** Seconds until the next send goes through, of those breakers whose turn is taken. */
function waitsOf(
  breakers: readonly { scope: string; openUntil: Date | null; trickledAt: Date | null }[],
  now: Date,
): ReadonlyMap<string, number> {
  const waits = new Map<string, number>();
  for (const { scope, openUntil, trickledAt } of breakers) {
    const turn = (trickledAt?.getTime() ?? -Infinity) + TRICKLE_EVERY_MS;
    const wait = Math.min(turn, openUntil?.getTime() ?? Infinity) - now.getTime();
    if (wait > 0) waits.set(scope, Math.ceil(wait / 1000));
  }
  return waits;
}

function decisionOf(breaker: OpenBreaker | undefined, outcome: BreakerDecision['outcome']): BreakerDecision {
  if (!breaker || !outcome) return {};
  return { scope: breaker.scope.name, outcome, ...breaker.state.reason };
}
