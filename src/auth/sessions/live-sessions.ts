import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { Notifications } from '../../platform/database/notifications.js';
import { TOKENS_CONFIG, type TokensConfig } from '../tokens/tokens.config.js';

/** What a request needs to know of a session that lives. */
export interface LiveSession {
  id: string;
  userId: string;
  /** The user's, whether or not this session may use them. */
  roles: readonly string[];
  /** Digits of the code that opened it. */
  codeLength: number;
}

interface Remembered extends LiveSession {
  /** Milliseconds since the epoch. */
  until: number;
}

const MAX_REMEMBERED = 100_000;

/**
 * The sessions that are known to live, so that a good token costs no statement. Every replica hears of each session
 * that ends, user that is suspended and role that is taken; while it may have missed one, it knows nothing. What is
 * known is forgotten after the life of an access token, and with the process.
 */
@Injectable()
export class LiveSessions implements OnModuleInit {
  // In the order of insertion: the first is the oldest.
  private readonly remembered = new Map<string, Remembered>();
  private readonly ofUser = new Map<string, Set<string>>();
  private endings = 0;

  constructor(
    @Inject(TOKENS_CONFIG) private readonly config: TokensConfig,
    private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.notifications.subscribe('latchkey_sessions', {
      onNotification: (payload) => {
        const [kind, id = ''] = payload.split(' ');
        if (kind === 'session') this.forget([id]);
        else this.forgetUser(id);
      },
      onGap: () => {
        this.endings += 1;
        this.remembered.clear();
        this.ofUser.clear();
      },
    });
  }

  /** A session that is known to live now; nothing where the database has to be asked. */
  find(sessionId: string, now: Date): LiveSession | undefined {
    if (!this.notifications.isCurrent()) return undefined;
    const known = this.remembered.get(sessionId);
    return known && now.getTime() < known.until ? known : undefined;
  }

  /** Tells moments apart, for {@link remember}. */
  moment(): number {
    return this.endings;
  }

  /**
   * Remembers a session that the database says to live.
   *
   * @param asked the `moment()` before the database was asked. Where anything has ended since, nothing is remembered:
   *   the session may have been alive then, and its end have been heard before the answer came.
   */
  remember({ id, userId, roles, codeLength }: LiveSession, now: Date, asked: number): void {
    if (asked !== this.endings) return;
    this.drop(id);
    const [oldest] = this.remembered.size >= MAX_REMEMBERED ? this.remembered.keys() : [];
    if (oldest !== undefined) this.drop(oldest);
    const until = now.getTime() + this.config.accessTokenTtlSeconds * 1000;
    this.remembered.set(id, { id, userId, roles, codeLength, until });
    const sessions = this.ofUser.get(userId);
    if (sessions) sessions.add(id);
    else this.ofUser.set(userId, new Set([id]));
  }

  /** At once, on this replica: the notification of the end is still on its way. */
  forget(sessionIds: readonly string[]): void {
    this.endings += 1;
    for (const id of sessionIds) this.drop(id);
  }

  forgetUser(userId: string): void {
    this.endings += 1;
    for (const id of this.ofUser.get(userId) ?? []) this.drop(id);
  }

  private drop(id: string): void {
    const session = this.remembered.get(id);
    if (!session) return;
    this.remembered.delete(id);
    const others = this.ofUser.get(session.userId);
    others?.delete(id);
    if (others?.size === 0) this.ofUser.delete(session.userId);
  }
}
