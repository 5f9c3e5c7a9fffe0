import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { insertEntry } from '../../audit/audit-rows.js';
import { inTransaction } from '../../platform/database/statement.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import type { LookedAt } from './breaker-look-rows.js';
import { type BreakerReason, closeBreaker, openBreaker, openBreakerForProvider } from './breaker-rows.js';
import type { Trip } from './breaker-rules.js';
import type { Scope } from './breaker-scope.js';
import { type ForcedState, setBreaker } from './set-breaker.js';

/** Opens and closes breakers: with the audit log in the same transaction, and the log behind it. */
@Injectable()
export class BreakerChanges {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** @returns false where somebody else was faster. */
  open(seen: LookedAt, trip: Trip, now: Date): Promise<boolean> {
    return this.opened(seen.scope, now, (transaction) => openBreaker(transaction, seen, trip, now));
  }

  /** @returns false where an administrator holds it, or it is open for about as long anyway. */
  openForProvider(scope: Scope, now: Date): Promise<boolean> {
    return this.opened(scope, now, (transaction) => openBreakerForProvider(transaction, scope, now));
  }

  /** @returns false where somebody else was faster. */
  async close(
    { scope, openedAt }: { scope: Scope; openedAt: Date },
    reason: 'time' | 'trickle',
    now: Date,
  ): Promise<boolean> {
    const isClosed = await inTransaction(this.db, async (transaction) => {
      if (!(await closeBreaker(transaction, scope.name, openedAt, now))) return false;
      await insertEntry(
        transaction,
        {
          action: 'sms_breaker_closed',
          object: { type: 'sms_breaker', id: null },
          payload: { scope: scope.name, reason },
        },
        now,
      );
      return true;
    });
    if (isClosed) this.announce(scope, false, { reason });
    return isClosed;
  }

  /** What an administrator says goes until it is `auto` again. */
  async set(
    scope: Scope,
    state: ForcedState,
    { actorId, client, now }: { actorId: string; client: ClientInfo; now: Date },
  ): Promise<void> {
    const change = await setBreaker(this.db, scope, state, { actorId, client, now });
    if (change) this.announce(scope, change.after.state === 'open', { mode: change.after.mode });
  }

  private async opened(
    scope: Scope,
    now: Date,
    open: (transaction: EntityManager) => Promise<{ openUntil: Date; reason: BreakerReason } | undefined>,
  ): Promise<boolean> {
    const opened = await inTransaction(this.db, async (transaction) => {
      const done = await open(transaction);
      if (!done) return undefined;
      await insertEntry(
        transaction,
        {
          action: 'sms_breaker_opened',
          object: { type: 'sms_breaker', id: null },
          payload: { scope: scope.name, reason: done.reason, open_until: done.openUntil },
        },
        now,
      );
      return done;
    });
    if (opened) this.announce(scope, true, { reason: opened.reason, open_until: opened.openUntil });
    return opened !== undefined;
  }

  private announce({ name }: Scope, isOpen: boolean, why: object): void {
    this.log.warn(
      { breaker: name, ...why },
      isOpen ? 'a breaker of texts is open' : 'a breaker of texts is closed',
    );
  }
}
