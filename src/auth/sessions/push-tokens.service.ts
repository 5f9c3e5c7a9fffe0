import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { createHash } from 'node:crypto';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { inTransaction } from '../../platform/database/statement.js';
import { Problem } from '../../platform/http/problem.js';
import { clearPushToken, forgetPushTokens, listPushTokens, setPushToken } from './push-token-rows.js';
import type { PushPlatform } from './session.entity.js';

/** A device that can be pushed to: one session, one device. */
export interface PushDevice {
  userId: string;
  sessionId: string;
  /** Whose push service knows the token. */
  platform: PushPlatform;
  /** As the app registered it; a secret of the device, so not for logs. */
  token: string;
}

/** Where users can be pushed to, for a module that notifies them. */
@Injectable()
export class PushTokens {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * The devices of users, in one statement: those that have registered a push token and on which the user is signed in
   * now. A token is with one device at most. Suspended and deleted users have none.
   *
   * @param userIds UUIDs; anything else is an error of the database.
   * @param transaction to see what that has done so far.
   * @returns in no particular order; a user can have many devices, or none.
   */
  async ofUsers(userIds: readonly string[], transaction: EntityManager = this.db): Promise<PushDevice[]> {
    const rows = await listPushTokens(transaction, userIds, this.clock.now());
    return rows.map(({ user_id, id, push_platform, push_token }) => ({
      userId: user_id,
      sessionId: id,
      platform: push_platform,
      token: push_token,
    }));
  }

  /**
   * Forgets tokens that a push service has called dead (APNs: 410 `Unregistered`, FCM: 404 `UNREGISTERED`, Web Push:
   * 404 and 410). The sessions go on; an app that is still there registers its new token.
   */
  async forget(tokens: readonly string[], transaction: EntityManager = this.db): Promise<void> {
    await forgetPushTokens(transaction, tokens);
  }

  /** Gives a session its token, in place of the one it had. It is taken off any other: that device has changed hands. */
  async register(sessionId: string, platform: PushPlatform, token: string): Promise<void> {
    const lock = createHash('sha256').update(`push-token\0${token}`).digest();
    await inTransaction(this.db, async (transaction) => {
      const isLive = await setPushToken(transaction, { sessionId, platform, token, lock });
      if (!isLive) throw new Problem('access_token_invalid');
    });
  }

  /** Takes the token off a session, if it has one. */
  async unregister(sessionId: string): Promise<void> {
    await clearPushToken(this.db, sessionId);
  }
}
