import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { validate as isUuid } from 'uuid';

import type { Act } from '../../audit/act.js';
import { AuditLog } from '../../audit/audit-log.js';
import { type Clock, CLOCK } from '../../platform/clock.js';
import { inTransaction } from '../../platform/database/statement.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import type { Caller } from '../../platform/http/current-user.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import { UserSuspensions } from '../../users/user-suspensions.js';
import type { Standing } from '../../users/user-suspension-rows.js';
import { LiveSessions } from '../sessions/live-sessions.js';
import { SessionEndings } from '../sessions/session-endings.service.js';
import { findLiveSession } from '../sessions/session-rows.js';

/** An administrator at work. */
export interface Administrator {
  caller: Caller;
  client: ClientInfo;
}

/** What is done to a user who is locked for it. @returns what the audit log is to say; nothing where nothing changed. */
type Work = (
  transaction: EntityManager,
  standing: Standing,
) => Promise<Pick<Act, 'action' | 'payload'> | undefined>;

/**
 * What administrators do to users. Each act is audited with what was before and after it, and in force here at once;
 * one that changes nothing leaves no trace.
 */
@Injectable()
export class UserModeration {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly suspensions: UserSuspensions,
    private readonly endings: SessionEndings,
    private readonly live: LiveSessions,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Suspends a user, and ends all their sessions. On one who is suspended already it puts the reason in place of the
   * one before.
   *
   * @param reason 1 to 500 characters.
   * @throws {Problem} `not_found` where there is no such user, or no longer; `cannot_suspend_yourself`.
   */
  suspend(userId: string, reason: string, administrator: Administrator): Promise<void> {
    const { userId: actorId } = administrator.caller;
    if (userId.toLowerCase() === actorId) throw new Problem('cannot_suspend_yourself');
    return this.act(userId, administrator, async (transaction, { status, suspension }) => {
      if (suspension?.reason === reason) return undefined;
      const { at, by } = suspension ?? { at: this.clock.now(), by: actorId };
      await this.suspensions.suspend(transaction, userId, { reason, at, by });
      const ended = await this.endings.revokeOthers(transaction, { userId }, 'suspended');
      const before = { status, reason: suspension?.reason ?? null };
      const after = { status: 'suspended', reason };
      return { action: 'user_suspended', payload: { before, after, sessions_ended: ended.length } };
    });
  }

  /**
   * Lets a suspended user sign in again; the sessions of before stay ended.
   *
   * @throws {Problem} `not_found` where there is no such user, or no longer.
   */
  reactivate(userId: string, administrator: Administrator): Promise<void> {
    return this.act(userId, administrator, async (transaction, { status, suspension }) => {
      if (status === 'active') return undefined;
      await this.suspensions.lift(transaction, userId);
      const before = { status, reason: suspension?.reason ?? null };
      return { action: 'user_reactivated', payload: { before, after: { status: 'active' } } };
    });
  }

  /**
   * Signs a user out everywhere.
   *
   * @throws {Problem} `not_found` where there is no such user, or no longer.
   */
  endSessions(userId: string, administrator: Administrator): Promise<void> {
    return this.act(userId, administrator, async (transaction) => {
      const ended = await this.endings.revokeOthers(transaction, { userId }, 'administrator');
      if (ended.length === 0) return undefined;
      return { action: 'user_sessions_ended', payload: { count: ended.length } };
    });
  }

  // Locks are taken as a sign-in takes them: the user, then the sessions. A sign-in under way is waited for, and its
  // session is seen; one that comes later finds the suspension.
  private async act(userId: string, { caller, client }: Administrator, work: Work): Promise<void> {
    if (!isUuid(userId)) throw new Problem('not_found');
    const id = userId.toLowerCase();
    await inTransaction(this.db, async (transaction) => {
      const standings = await this.suspensions.lock(transaction, [caller.userId, id]);
      await this.requireStillAdmin(transaction, caller);
      const standing = standings.get(id);
      if (!standing || standing.status === 'deleted') throw new Problem('not_found');
      const done = await work(transaction, standing);
      if (!done) return;
      const object = { type: 'user' as const, id };
      await this.audit.record(transaction, { ...done, actorId: caller.userId, object, client });
    });
    this.live.forgetUser(id);
  }

  /** Of two administrators who suspend each other at once, the second was locked out while it waited for the first. */
  private async requireStillAdmin(transaction: EntityManager, { sessionId, userId }: Caller): Promise<void> {
    const session = { id: sessionId, userId, now: this.clock.now() };
    const found = await findLiveSession(transaction, session);
    if (!found) throw new Problem('access_token_invalid');
    if (!found.roles.includes('admin')) throw new Problem('forbidden');
  }
}
