import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { randomBytes } from 'node:crypto';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { AuditLog } from '../../audit/audit-log.js';
import { type Clock, CLOCK } from '../../platform/clock.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import { IdempotencyKeys } from '../../platform/http/idempotency-key.js';
import { Problem } from '../../platform/http/problem.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import { ADMINISTRATION_CONFIG, type AdministrationConfig } from '../tokens/administration.config.js';
import { type LiveSession, LiveSessions } from './live-sessions.js';
import { RefreshTokens } from '../tokens/refresh-tokens.js';
import { rolesInForce } from '../tokens/roles-in-force.js';
import { SessionEndings } from './session-endings.service.js';
import { SessionMetrics } from './session-metrics.js';
import {
  findLiveSession,
  findRefreshableSession,
  insertSession,
  listSessions,
  type RefreshableSession,
  rotateSession,
  type SessionRow,
} from './session-rows.js';
import type { Session } from './session.entity.js';
import { TOKENS_CONFIG, type TokensConfig } from '../tokens/tokens.config.js';

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

/** What the tokens of a session are made for. */
interface TokenUse {
  /** The user's. */
  roles: readonly string[];
  client: ClientInfo;
  now: Date;
}

const SALT_BYTES = 32;
const NO_SALT = Buffer.alloc(SALT_BYTES);
const MAX_SESSIONS = 20;
const LOOKS = 3;
const FRESH_MS = 60_000;
const KEYED_REPEAT_MS = 24 * 60 * 60 * 1000;

/** Sessions that live: opened by a sign-in, kept alive by refreshes, asked for by each request. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(TOKENS_CONFIG) private readonly config: TokensConfig,
    @Inject(ADMINISTRATION_CONFIG) private readonly administration: AdministrationConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly idempotencyKeys: IdempotencyKeys,
    private readonly live: LiveSessions,
    private readonly endings: SessionEndings,
    private readonly metrics: SessionMetrics,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Opens a session, in the transaction of the sign-in. Its tokens are made once that is committed.
   *
   * @returns it, and the ids of those that it ended, being one too many.
   */
  async open(
    transaction: EntityManager,
    { userId, codeLength, deviceName, client, now }: SessionStart,
  ): Promise<{ session: SessionRow; ended: string[] }> {
    const session = {
      id: uuidv7({ msecs: now.getTime() }),
      userId,
      salt: randomBytes(SALT_BYTES),
      counter: 0,
      codeLength,
      authenticatedAt: now,
      createdAt: now,
      expiresAt: this.expiry(now, now),
    };
    const ended = await insertSession(transaction, { ...session, deviceName, ...client }, MAX_SESSIONS);
    const by = { actorId: userId, client };
    await this.audit.record(transaction, {
      ...by,
      action: 'signed_in',
      object: { type: 'session', id: session.id },
    });
    for (const id of ended) {
      await this.audit.record(transaction, {
        ...by,
        action: 'session_ended',
        object: { type: 'session', id },
        payload: { reason: 'limit' },
      });
    }
    return { session, ended };
  }

  tokens(session: SessionRow, { roles, client, now }: TokenUse): Tokens {
    const inForce = rolesInForce(roles, { ...session, ip: client.ip, now }, this.administration);
    const { token: accessToken, expiresIn } = this.accessTokens.make(session, inForce, now);
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
    try {
      const { tokens, outcome } = await this.rotate(refreshToken, client, idempotencyKey);
      this.metrics.refreshed(outcome);
      return tokens;
    } catch (error) {
      if (error instanceof Problem && error.code === 'refresh_token_reused') this.metrics.refreshed('reused');
      if (error instanceof Problem && error.code === 'refresh_token_invalid')
        this.metrics.refreshed('invalid');
      throw error;
    }
  }

  private async rotate(
    refreshToken: string,
    client: ClientInfo,
    idempotencyKey: string | undefined,
  ): Promise<{ tokens: Tokens; outcome: 'rotated' | 'repeated' }> {
    const token = this.refreshTokens.parse(refreshToken);
    if (!token) throw new Problem('refresh_token_invalid');
    const now = this.clock.now();
    // Whoever loses the race of two refreshes looks again, and then finds itself a repeat of the winner.
    for (let look = 1; look <= LOOKS; look += 1) {
      const asked = this.live.moment();
      const found = await findRefreshableSession(this.db, token.sessionId, now);
      // The same work whether or not there is such a session.
      if (!this.refreshTokens.verify(token, found?.session.salt ?? NO_SALT) || !found) break;
      const { session, roles, isLive, revokedReason } = found;
      if (revokedReason === 'reuse') throw new Problem('refresh_token_reused');
      if (!isLive || token.counter > session.counter) break;
      if (token.counter < session.counter) {
        if (!this.isRepeat(token.counter, found, now, idempotencyKey)) {
          await this.endings.endStolen(session, client);
          throw new Problem('refresh_token_reused');
        }
        await this.auditRepeat(found, client);
        return { tokens: this.tokens(session, { roles, client, now }), outcome: 'repeated' };
      }
      const expiresAt = this.expiry(session.createdAt, now);
      const keyHash = idempotencyKey
        ? this.idempotencyKeys.hash(refreshScope(session), idempotencyKey)
        : null;
      if (await rotateSession(this.db, session, { now, expiresAt, client, keyHash })) {
        this.live.remember({ ...session, roles }, now, asked);
        const rotated = { ...session, counter: session.counter + 1, expiresAt };
        return { tokens: this.tokens(rotated, { roles, client, now }), outcome: 'rotated' };
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

  /** A session of a user, if it lives. No statement where that is known. */
  async findLive(id: string, userId: string, now: Date): Promise<LiveSession | undefined> {
    const known = this.live.find(id, now);
    if (known) return known.userId === userId ? known : undefined;
    const asked = this.live.moment();
    const found = await findLiveSession(this.db, { id, userId, now });
    if (found) this.live.remember(found, now, asked);
    return found;
  }

  /** The sessions of a user that live, the most recently used first. */
  list(userId: string): Promise<Session[]> {
    return listSessions(this.db, userId, this.clock.now());
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

  /** One phone repeats from where it was; from elsewhere it may be a thief who is quick. */
  private async auditRepeat(
    { session: { id, userId }, ip, userAgent }: RefreshableSession,
    client: ClientInfo,
  ): Promise<void> {
    if (client.ip === ip && client.userAgent === userAgent) return;
    await this.audit.record(this.db, {
      action: 'refresh_repeated',
      object: { type: 'user', id: userId },
      client,
      payload: { session_id: id },
    });
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
