import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { AuditLog } from '../../audit/audit-log.js';
import { OtpRecords } from '../../otp/otp-records.service.js';
import { type Clock, CLOCK } from '../../platform/clock.js';
import { inTransaction } from '../../platform/database/statement.js';
import type { Caller } from '../../platform/http/current-user.decorator.js';
import { TestAccounts } from '../../users/test-accounts.js';
import { UserErasure } from '../../users/user-erasure.service.js';
import { LiveSessions } from '../sessions/live-sessions.js';
import { requireRecentSignIn } from './recent-sign-in.js';
import { deleteSessions } from '../sessions/session-rows.js';

/** Deletes accounts. */
@Injectable()
export class AccountDeletion {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly users: UserErasure,
    private readonly testAccounts: TestAccounts,
    private readonly otps: OtpRecords,
    private readonly live: LiveSessions,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Erases all that the database has of the caller in one transaction, and what the store has of them by a job of it.
   * What stays is the id, and the audit log under it. Repeated, it finds nothing to do.
   *
   * @throws {Problem} `test_account`, `reauthentication_required`.
   */
  async delete(caller: Caller): Promise<void> {
    const { userId } = caller;
    if (await this.users.isErased(userId)) return;
    await this.testAccounts.refuse(userId);
    requireRecentSignIn(caller, this.clock.now());
    await inTransaction(this.db, async (transaction) => {
      // In the order in which everybody else locks: profile, codes, user, sessions.
      const phoneNumber = await this.users.begin(transaction, userId);
      if (phoneNumber === undefined) return;
      await this.otps.erase(transaction, { phoneNumber, userId });
      await this.erase(transaction, userId);
      await this.audit.record(transaction, {
        action: 'account_deleted',
        actorId: userId,
        object: { type: 'user', id: userId },
      });
    });
    this.live.forgetUser(userId);
  }

  /**
   * Erases a test account in the transaction of a sign-in that has locked it: its number is somebody's now. The codes of
   * the number stay, being theirs. Once it is committed, `LiveSessions.forgetUser` is for the caller.
   */
  async eraseTestAccount(transaction: EntityManager, userId: string): Promise<void> {
    await this.users.begin(transaction, userId);
    await this.erase(transaction, userId);
    const object = { type: 'user' as const, id: userId };
    await this.audit.record(transaction, { action: 'test_account_replaced', object });
  }

  private async erase(transaction: EntityManager, userId: string): Promise<void> {
    await this.users.erase(transaction, userId);
    await deleteSessions(transaction, userId);
    await this.audit.eraseClientsOf(transaction, userId);
  }
}
