import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { validate as isUuid } from 'uuid';

import { AuditLog } from '../../audit/audit-log.js';
import type { Act } from '../../audit/act.js';
import { type Clock, CLOCK } from '../../platform/clock.js';
import { inTransaction } from '../../platform/database/statement.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import type { Caller } from '../../platform/http/current-user.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { LiveSessions } from './live-sessions.js';
import { RefreshTokens } from '../tokens/refresh-tokens.js';
import { findRefreshableSession, revokeSession, revokeSessions, type SessionRow } from './session-rows.js';
import { SessionMetrics } from './session-metrics.js';
import type { RevokedReason } from './session.entity.js';

/** The ways in which sessions end before their time. Each is audited, and in force here at once. */
@Injectable()
export class SessionEndings {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly audit: AuditLog,
    private readonly live: LiveSessions,
    private readonly refreshTokens: RefreshTokens,
    private readonly metrics: SessionMetrics,
  ) {}

  /** @throws {Problem} `not_found` where the user has no such session that lives. */
  async end(sessionId: string, { userId }: Caller, client: ClientInfo): Promise<void> {
    const ended = isUuid(sessionId) && (await this.endOwn({ id: sessionId, userId }, 'ended', client));
    if (!ended) throw new Problem('not_found');
  }

  /** Ends all sessions of the caller but the one of the request. */
  async endOthers({ sessionId, userId }: Caller, client: ClientInfo): Promise<void> {
    const ended = await inTransaction(this.db, async (transaction) => {
      const ids = await this.revokeOthers(transaction, { userId, but: sessionId }, 'ended');
      await this.audit.record(transaction, {
        action: 'other_sessions_ended',
        actorId: userId,
        object: { type: 'user', id: userId },
        client,
        payload: { session_ids: ids },
      });
      return ids;
    });
    this.live.forget(ended);
  }

  /**
   * Ends the sessions of a user within the transaction of what ends them, and leaves the audit to that.
   *
   * @returns their ids, for `LiveSessions.forget` once that is committed.
   */
  async revokeOthers(
    transaction: EntityManager,
    sessions: { userId: string; but?: string },
    reason: RevokedReason,
  ): Promise<string[]> {
    const ended = await revokeSessions(transaction, { ...sessions, now: this.clock.now(), reason });
    // Before the commit: a count that a rollback leaves too high does less harm than one more thing to remember.
    this.metrics.ended(reason, ended.length);
    return ended;
  }

  async logOut({ sessionId: id, userId }: Caller, client: ClientInfo): Promise<void> {
    await this.endOwn({ id, userId }, 'logout', client);
  }

  /** Logs out whoever holds a refresh token, an old one too; what is none of ours ends nothing. */
  async logOutByToken(refreshToken: string, client: ClientInfo): Promise<void> {
    const token = this.refreshTokens.parse(refreshToken);
    const found = token && (await findRefreshableSession(this.db, token.sessionId, this.clock.now()));
    if (!found || !this.refreshTokens.verify(token, found.session.salt)) return;
    await this.endOwn(found.session, 'logout', client);
  }

  /** Two have its refresh token: nobody knows which of them is the user. */
  async endStolen(session: SessionRow, client: ClientInfo): Promise<void> {
    const { id, userId } = session;
    const isFirst = await this.revoke(session, 'reuse', {
      action: 'refresh_token_reused',
      object: { type: 'user', id: userId },
      client,
      payload: { session_id: id },
    });
    if (!isFirst) return;
    this.log.warn(
      { user_id: userId, session_id: id, request_id: client.requestId },
      'a refresh token was used twice: its session is ended',
    );
  }

  private endOwn(
    session: Pick<SessionRow, 'id' | 'userId'>,
    reason: 'logout' | 'ended',
    client: ClientInfo,
  ): Promise<boolean> {
    return this.revoke(session, reason, {
      action: 'session_ended',
      actorId: session.userId,
      object: { type: 'session', id: session.id },
      client,
      payload: { reason },
    });
  }

  /** @returns whether it lived. */
  private async revoke(
    { id, userId }: Pick<SessionRow, 'id' | 'userId'>,
    reason: RevokedReason,
    act: Act,
  ): Promise<boolean> {
    const ended = await inTransaction(this.db, async (transaction) => {
      const isEnded = await revokeSession(transaction, { id, userId, now: this.clock.now(), reason });
      if (isEnded) await this.audit.record(transaction, act);
      return isEnded;
    });
    this.live.forget([id]);
    if (ended) this.metrics.ended(reason);
    return ended;
  }
}
