import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { randomBytes } from 'node:crypto';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { type Clock, CLOCK } from '../platform/clock.js';
import type { ClientInfo } from '../platform/http/client-info.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { AccessTokens } from './access-tokens.js';
import { RefreshTokens } from './refresh-tokens.js';
import {
  findRefreshableSession,
  insertSession,
  isSessionLive,
  revokeSession,
  rotateSession,
  type SessionRow,
} from './session-rows.js';
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

@Injectable()
export class SessionsService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(TOKENS_CONFIG) private readonly config: TokensConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
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
    await insertSession(transaction, { ...session, codeLength, deviceName, ...client });
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

  /** Rotates the session's refresh token. @throws {Problem} `refresh_token_invalid`. */
  async refresh(refreshToken: string, client: ClientInfo): Promise<Tokens> {
    const now = this.clock.now();
    const token = this.refreshTokens.parse(refreshToken);
    const found = token && (await findRefreshableSession(this.db, token.sessionId, now));
    if (!found || !this.refreshTokens.verify(token, found.session.salt) || !found.isLive) {
      throw new Problem('refresh_token_invalid');
    }
    const { session, roles } = found;
    const expiresAt = this.expiry(session.createdAt, now);
    const isRotated =
      token.counter === session.counter &&
      (await rotateSession(this.db, session, { now, expiresAt, client }));
    if (!isRotated) throw new Problem('refresh_token_invalid');
    return this.tokens({ ...session, counter: session.counter + 1, expiresAt }, roles, now);
  }

  isLive(sessionId: string, userId: string, now: Date): Promise<boolean> {
    return isSessionLive(this.db, { id: sessionId, userId, now });
  }

  async logOut(sessionId: string): Promise<void> {
    await revokeSession(this.db, { id: sessionId, now: this.clock.now(), reason: 'logout' });
  }

  private expiry(createdAt: Date, now: Date): Date {
    const idle = now.getTime() + this.config.refreshTokenTtlSeconds * 1000;
    const absolute = createdAt.getTime() + this.config.sessionMaxSeconds * 1000;
    return new Date(Math.min(idle, absolute));
  }
}
