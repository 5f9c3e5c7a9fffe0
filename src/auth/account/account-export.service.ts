import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import type { AuditEntry } from '../../audit/audit-entry.entity.js';
import { AuditLog } from '../../audit/audit-log.js';
import { OtpRecords } from '../../otp/otp-records.service.js';
import type { PhoneOtp } from '../../otp/phone-otp.entity.js';
import { type Clock, CLOCK } from '../../platform/clock.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import type { Caller } from '../../platform/http/current-user.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import type { Coordinates } from '../../users/coordinates/coordinates.js';
import { CoordinatesService } from '../../users/coordinates/coordinates.service.js';
import type { Profile } from '../../users/profile.js';
import type { User } from '../../users/user.entity.js';
import { UsersService } from '../../users/users.service.js';
import { requireRecentSignIn } from './recent-sign-in.js';
import { Session } from '../sessions/session.entity.js';

/** All that is kept about a user. */
export interface AccountExport {
  exportedAt: Date;
  user: User;
  profile: Profile;
  trail: readonly Coordinates[];
  sessions: readonly Session[];
  codes: readonly PhoneOtp[];
  activity: readonly AuditEntry[];
}

/** Gives out what is kept about a user. A table with a user's column belongs into it: a test compares the two. */
@Injectable()
export class AccountExports {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly users: UsersService,
    private readonly coordinates: CoordinatesService,
    private readonly otps: OtpRecords,
    private readonly audit: AuditLog,
  ) {}

  /** @throws {Problem} `reauthentication_required`; `access_token_invalid` where the account was just deleted. */
  make(caller: Caller, client: ClientInfo): Promise<AccountExport> {
    const { userId } = caller;
    const exportedAt = this.clock.now();
    requireRecentSignIn(caller, exportedAt);
    // One moment for all of it.
    return this.db.transaction('REPEATABLE READ', async (transaction) => {
      const user = await this.users.findAccount(userId, transaction);
      const profile = await this.users.find(userId, transaction);
      if (!user || !profile) throw new Problem('access_token_invalid');
      await this.audit.record(transaction, {
        action: 'account_exported',
        actorId: userId,
        object: { type: 'user', id: userId },
        client,
      });
      return {
        exportedAt,
        user,
        profile,
        trail: await this.coordinates.listAllOf(transaction, userId),
        sessions: await transaction.find(Session, { where: { userId }, order: { id: 'ASC' } }),
        codes: await this.otps.list(transaction, { phoneNumber: profile.phoneNumber, userId }),
        activity: await this.audit.listAllOf(transaction, userId),
      };
    });
  }
}
