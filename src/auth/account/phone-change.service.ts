import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../../audit/audit-log.js';
import { DeviceTokens } from '../../otp/device-tokens.js';
import { OtpGuesses } from '../../otp/otp-guesses.service.js';
import type { OtpSent, SendBudget } from '../../otp/otp-request.js';
import { OtpRequests } from '../../otp/otp-requests.service.js';
import { PhoneChangeNotices } from '../../otp/phone-change-notices.js';
import { type Clock, CLOCK } from '../../platform/clock.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import type { Caller } from '../../platform/http/current-user.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import type { Profile } from '../../users/profile.js';
import { TestAccounts } from '../../users/test-accounts.js';
import { UserNumbers } from '../../users/user-numbers.js';
import { UsersService } from '../../users/users.service.js';
import { LiveSessions } from '../sessions/live-sessions.js';
import { requireRecentSignIn } from './recent-sign-in.js';
import { SessionEndings } from '../sessions/session-endings.service.js';
import { findLiveSession } from '../sessions/session-rows.js';

export interface PhoneChangeGuess {
  /** As the user wrote it. */
  phoneNumber: string;
  code: string;
}

/** Moves an account to another number: a code is texted there, and traded for the move. */
@Injectable()
export class PhoneChange {
  constructor(
    private readonly requests: OtpRequests,
    private readonly guesses: OtpGuesses,
    private readonly deviceTokens: DeviceTokens,
    private readonly notices: PhoneChangeNotices,
    private readonly users: UsersService,
    private readonly numbers: UserNumbers,
    private readonly testAccounts: TestAccounts,
    private readonly endings: SessionEndings,
    private readonly live: LiveSessions,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Texts a code to the new number. The answer is the same for numbers with and without an account. */
  async request(caller: Caller, phoneNumber: string, { ip: clientIp }: ClientInfo): Promise<OtpSent> {
    const now = this.clock.now();
    const { userId } = caller;
    await this.testAccounts.refuse(userId);
    requireRecentSignIn(caller, now);
    const budget: SendBudget = {
      take: (transaction, number) => this.numbers.countChange(transaction, userId, number, now),
      giveBack: (manager) => this.numbers.uncountChange(manager, userId, now),
    };
    const findOwner = (number: string) => this.numbers.ownerOf(number);
    return this.requests.request({
      phoneNumber,
      purpose: 'phone_change',
      userId,
      clientIp,
      findOwner,
      budget,
    });
  }

  /** Trades a right code for the move. The session of the request is the only one that goes on. */
  async verify(
    caller: Caller,
    guess: PhoneChangeGuess,
    client: ClientInfo,
  ): Promise<{ profile: Profile; deviceToken: string }> {
    const { userId } = caller;
    await this.testAccounts.refuse(userId);
    requireRecentSignIn(caller, this.clock.now());
    const moved = await this.guesses.redeem(
      { ...guess, purpose: 'phone_change', userId, clientIp: client.ip },
      (transaction, { phoneNumber }) => this.move(transaction, caller, phoneNumber, client),
    );
    // Thrown after the commit: whose number it is, only a code tells, and each code only once.
    if (!moved) throw new Problem('phone_number_taken');
    const { profile, ended } = moved;
    this.live.forget(ended);
    return { profile, deviceToken: this.deviceTokens.make(profile.phoneNumber, userId) };
  }

  // Locks are taken as a sign-in takes them: the code, the user, the sessions.
  private async move(
    transaction: EntityManager,
    { userId, sessionId: id }: Caller,
    phoneNumber: string,
    client: ClientInfo,
  ): Promise<{ profile: Profile; ended: string[] } | undefined> {
    const moved = await this.numbers.move(transaction, userId, phoneNumber);
    // Two sessions that move one account wait for each other here; the first one has then ended the second.
    const isLive = await findLiveSession(transaction, { id, userId, now: this.clock.now() });
    if (!isLive) throw new Problem('access_token_invalid');
    if (!moved) return undefined;
    const others = { userId, but: id };
    const ended = await this.endings.revokeOthers(transaction, others, 'phone_change');
    await this.audit.record(transaction, {
      action: 'phone_number_changed',
      actorId: userId,
      object: { type: 'user', id: userId },
      client,
      payload: { session_ids: ended },
    });
    await this.notices.queue(transaction, moved.oldNumber);
    const profile = await this.users.find(userId, transaction);
    if (!profile) throw new Problem('access_token_invalid');
    return { profile, ended };
  }
}
