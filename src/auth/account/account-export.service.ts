import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager, MoreThan } from 'typeorm';
import { NIL } from 'uuid';

import type { AuditEntry } from '../../audit/audit-entry.entity.js';
import { AuditLog } from '../../audit/audit-log.js';
import { OtpRecords } from '../../otp/otp-records.service.js';
import type { PhoneOtp } from '../../otp/phone-otp.entity.js';
import { type Clock, CLOCK } from '../../platform/clock.js';
import { inPages } from '../../platform/database/in-pages.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import type { Caller } from '../../platform/http/current-user.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import type { Pages } from '../../platform/http/streamed-json.js';
import { Turns } from '../../platform/turns.js';
import type { Coordinates } from '../../users/coordinates/coordinates.js';
import { CoordinatesService } from '../../users/coordinates/coordinates.service.js';
import type { Profile } from '../../users/profile.js';
import { TestAccounts } from '../../users/test-accounts.js';
import type { User } from '../../users/user.entity.js';
import { UsersService } from '../../users/users.service.js';
import { requireRecentSignIn } from './recent-sign-in.js';
import { Session } from '../sessions/session.entity.js';

/** All that is kept about a user; the lists are read a page at a time, as they are asked for. */
export interface AccountExport {
  exportedAt: Date;
  user: User;
  profile: Profile;
  trail: Pages<Coordinates>;
  sessions: Pages<Session>;
  codes: Pages<PhoneOtp>;
  activity: Pages<AuditEntry>;
}

/** Gives out what is kept about a user. A table with a user's column belongs into it: a test compares the two. */
@Injectable()
export class AccountExports {
  // Each takes a connection of the pool for as long as it is written: no user may take them all.
  private readonly turns = new Turns();

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly users: UsersService,
    private readonly testAccounts: TestAccounts,
    private readonly coordinates: CoordinatesService,
    private readonly otps: OtpRecords,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Has `write` write down what is kept about the caller, as it is at one moment. One export of a user waits for that
   * before it.
   *
   * @param write to be quick: a connection and a snapshot of the database wait for its end.
   * @throws {Problem} `test_account`, `reauthentication_required`; `access_token_invalid` where the account was just deleted.
   */
  async make(
    caller: Caller,
    client: ClientInfo,
    write: (exported: AccountExport) => Promise<void>,
  ): Promise<void> {
    await this.testAccounts.refuse(caller.userId);
    requireRecentSignIn(caller, this.clock.now());
    await this.turns.take(caller.userId, () =>
      this.db.transaction('REPEATABLE READ', async (transaction) => {
        await write(await this.read(transaction, caller.userId, client));
      }),
    );
  }

  private async read(transaction: EntityManager, userId: string, client: ClientInfo): Promise<AccountExport> {
    const exportedAt = this.clock.now();
    const user = await this.users.findAccount(userId, transaction);
    const profile = await this.users.find(userId, transaction);
    if (!user || !profile) throw new Problem('access_token_invalid');
    await this.audit.record(transaction, {
      action: 'account_exported',
      actorId: userId,
      object: { type: 'user', id: userId },
      client,
    });
    const { phoneNumber } = profile;
    const id = (row: { id: string }) => row.id;
    return {
      exportedAt,
      user,
      profile,
      trail: inPages(
        ({ limit, after }: { limit: number; after: Date | undefined }) =>
          this.coordinates.listOf(userId, { limit, before: after }, transaction),
        ({ recordedAt }) => recordedAt,
      ),
      sessions: inPages((page) => listSessions(transaction, userId, page), id),
      codes: inPages((page) => this.otps.list(transaction, { phoneNumber, userId }, page), id),
      activity: inPages((page) => this.audit.listOf(userId, page, transaction), id),
    };
  }
}

/** Those that ended, too; the oldest first. */
function listSessions(
  transaction: EntityManager,
  userId: string,
  { limit, after = NIL }: { limit: number; after: string | undefined },
): Promise<Session[]> {
  return transaction.find(Session, {
    where: { userId, id: MoreThan(after) },
    order: { id: 'ASC' },
    take: limit,
  });
}
