import { Injectable } from '@nestjs/common';
import { validate as isUuid } from 'uuid';

import type { AuditEntry } from '../../audit/audit-entry.entity.js';
import { AuditLog } from '../../audit/audit-log.js';
import { Problem } from '../../platform/http/problem.js';
import type { Profile } from '../../users/profile.js';
import type { User } from '../../users/user.entity.js';
import { UsersService } from '../../users/users.service.js';
import type { Session } from '../sessions/session.entity.js';
import { SessionsService } from '../sessions/sessions.service.js';

const NEWEST_ENTRIES = 20;

/** A user as administrators see one. */
export interface UserInDetail {
  user: User;
  /** Of a deleted user there is none. */
  profile: Profile | undefined;
  /** Those that live, the most recently used first. */
  sessions: readonly Session[];
  /** What the user did last, and what was done to them, newest first. */
  entries: readonly AuditEntry[];
}

/** Gathers what administrators see of a user. */
@Injectable()
export class UserDetails {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly audit: AuditLog,
  ) {}

  /** @throws {Problem} `not_found` where there is no such user; a deleted one is there. */
  async read(userId: string): Promise<UserInDetail> {
    const user = isUuid(userId) ? await this.users.findAccount(userId) : null;
    if (!user) throw new Problem('not_found');
    return {
      user,
      profile: await this.users.find(user.id),
      sessions: await this.sessions.list(user.id),
      entries: await this.audit.listOf(user.id, { limit: NEWEST_ENTRIES }),
    };
  }
}
