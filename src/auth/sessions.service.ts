import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { randomBytes } from 'node:crypto';
import { EntityManager } from 'typeorm';
import { validate as isUuid, v7 as uuidv7 } from 'uuid';

import { type Clock, CLOCK } from '../platform/clock.js';
import type { ClientInfo } from '../platform/http/client-info.decorator.js';
import type { Caller } from '../platform/http/current-user.decorator.js';
import { IdempotencyKeys } from '../platform/http/idempotency-key.js';
import { Problem } from '../platform/http/problem.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { AccessTokens } from './access-tokens.js';
import { RefreshTokens } from './refresh-tokens.js';
import {
  findRefreshableSession,
  insertSession,
  isSessionLive,
  listSessions,
  type RefreshableSession,
  revokeOtherSessions,
  revokeSession,
  rotateSession,
  type SessionRow,
} from './session-rows.js';
import type { Session } from './session.entity.js';
import { TOKENS_CONFIG, type TokensConfig } from './tokens.config.js';

/** The tokens of a session. Lives in seconds. */
export interface Tokens {
  accessToken: string;
  expiresIn: number;
  refreshToken: string;
  refreshExpiresIn: number;
}

export interface SessionStart {
  userId: string;
  /** Digits of the code that opened it. */
  codeLength: number;
  deviceName: string | null;
  client: ClientInfo;
  now: Date;
}

const SALT_BYTES = 32;
const MAX_SESSIONS = 20;
const LOOKS = 3;
const FRESH_MS = 60_000;
const KEYED_REPEAT_MS = 24 * 60 * 60 * 1000;

@Injectable()
export class SessionsService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(TOKENS_CONFIG) private readonly config: TokensConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly idempotencyKeys: IdempotencyKeys,
  ) {}

  /** Opens a session, in the transaction of the sign-in. Its tokens are made once that is committed. */
  async open(transaction: EntityManager, start: SessionStart): Promise<SessionRow> {
    const { codeLength, deviceName, client, now } = start;
    const session = {
      id: uuidv7({ msecs: now.getTime() }),
      userId: start.userId,
      salt: randomBytes(SALT_BYTES),
      counter: 0,
      authenticatedAt: now,
      createdAt: now,
      expiresAt: this.expiry(now, now),
    };
    await insertSession(transaction, { ...session, codeLength, deviceName, ...client }, MAX_SESSIONS);
    return session;
  }

  tokens(session: SessionRow, roles: readonly string[], now: Date): Tokens {
    const { token: accessToken, expiresIn } = this.accessTokens.make(session, roles, now);
    return {
      accessToken,
      expiresIn,
      refreshToken: this.refreshTokens.make(session),
      refreshExpiresIn: Math.floor((session.expiresAt.getTime() - now.getTime()) / 1000),
    };
  }

  /**
   * Rotates the session's refresh token. A repeat of the token just rotated answers the same successor for a while,
   * since answers get lost on the way to phones; a later one means that two have it.
   *
   * @throws {Problem} `refresh_token_invalid`, `refresh_token_reused`.
   */
  async refresh(refreshToken: string, client: ClientInfo, idempotencyKey?: string): Promise<Tokens> {
    const token = this.refreshTokens.parse(refreshToken);
    if (!token) throw new Problem('refresh_token_invalid');
    const now = this.clock.now();
    // Whoever loses the race of two refreshes looks again, and then finds itself a repeat of the winner.
    for (let look = 1; look <= LOOKS; look += 1) {
      const found = await findRefreshableSession(this.db, token.sessionId, now);
      if (!found || !this.refreshTokens.verify(token, found.session.salt)) break;
      const { session, roles, isLive, revokedReason } = found;
      if (revokedReason === 'reuse') throw new Problem('refresh_token_reused');
      if (!isLive || token.counter > session.counter) break;
      if (token.counter < session.counter) {
        if (!this.isRepeat(token.counter, found, now, idempotencyKey))
          return await this.endStolen(session, now);
        return this.tokens(session, roles, now);
      }
      const expiresAt = this.expiry(session.createdAt, now);
      const keyHash = idempotencyKey
        ? this.idempotencyKeys.hash(refreshScope(session), idempotencyKey)
        : null;
      if (await rotateSession(this.db, session, { now, expiresAt, client, keyHash })) {
        return this.tokens({ ...session, counter: session.counter + 1, expiresAt }, roles, now);
      }
    }
    throw new Problem('refresh_token_invalid');
  }

  /** A session that has just been opened, lives, and was not refreshed yet. */
  async findFresh(
    manager: EntityManager,
    sessionId: string,
    now: Date,
  ): Promise<RefreshableSession | undefined> {
    const found = await findRefreshableSession(manager, sessionId, now);
    if (!found?.isLive || found.session.counter > 0) return undefined;
    return now.getTime() - found.session.createdAt.getTime() < FRESH_MS ? found : undefined;
  }

  isLive(sessionId: string, userId: string, now: Date): Promise<boolean> {
    return isSessionLive(this.db, { id: sessionId, userId, now });
  }

  /** The sessions of a user that live, the most recently used first. */
  list(userId: string): Promise<Session[]> {
    return listSessions(this.db, userId, this.clock.now());
  }

  /** @throws {Problem} `not_found` where the user has no such session that lives. */
  async end(sessionId: string, userId: string): Promise<void> {
    const ended =
      isUuid(sessionId) &&
      (await revokeSession(this.db, { id: sessionId, userId, now: this.clock.now(), reason: 'ended' }));
    if (!ended) throw new Problem('not_found');
  }

  async endOthers({ sessionId: id, userId }: Caller): Promise<void> {
    await revokeOtherSessions(this.db, { id, userId, now: this.clock.now(), reason: 'ended' });
  }

  async logOut({ sessionId: id, userId }: Caller): Promise<void> {
    await revokeSession(this.db, { id, userId, now: this.clock.now(), reason: 'logout' });
  }

  /** Logs out whoever holds a refresh token, an old one too; what is none of ours ends nothing. */
  async logOutByToken(refreshToken: string): Promise<void> {
    const now = this.clock.now();
    const token = this.refreshTokens.parse(refreshToken);
    const found = token && (await findRefreshableSession(this.db, token.sessionId, now));
    if (!found || !this.refreshTokens.verify(token, found.session.salt)) return;
    const { id, userId } = found.session;
    await revokeSession(this.db, { id, userId, now, reason: 'logout' });
  }

  /** Exactly one step back, and not for long: the token of the newest rotation. With its key, for a day. */
  private isRepeat(
    counter: number,
    { session, rotatedAt, refreshKeyHash }: RefreshableSession,
    now: Date,
    idempotencyKey: string | undefined,
  ): boolean {
    if (counter !== session.counter - 1 || rotatedAt === null) return false;
    const age = now.getTime() - rotatedAt.getTime();
    if (age < this.config.refreshGraceSeconds * 1000) return true;
    const scope = refreshScope({ ...session, counter });
    return (
      age < KEYED_REPEAT_MS &&
      idempotencyKey !== undefined &&
      refreshKeyHash !== null &&
      this.idempotencyKeys.matches(scope, idempotencyKey, refreshKeyHash)
    );
  }

  private async endStolen({ id, userId }: SessionRow, now: Date): Promise<never> {
    await revokeSession(this.db, { id, userId, now, reason: 'reuse' });
    this.log.warn(
      { user_id: userId, session_id: id },
      'a refresh token was used twice: its session is ended',
    );
    throw new Problem('refresh_token_reused');
  }

  private expiry(createdAt: Date, now: Date): Date {
    const idle = now.getTime() + this.config.refreshTokenTtlSeconds * 1000;
    const absolute = createdAt.getTime() + this.config.sessionMaxSeconds * 1000;
    return new Date(Math.min(idle, absolute));
  }
}

function refreshScope({ id, counter }: { id: string; counter: number }): string[] {
  return ['refresh', id, String(counter)];
}
