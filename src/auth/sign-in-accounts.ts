import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import type { RedeemedOtp } from '../otp/otp-guesses.service.js';
import type { ClientInfo } from '../platform/http/client-info.decorator.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { maskPhoneNumber } from '../platform/phone-number.js';
import type { SignedInUser } from '../users/profile-rows.js';
import { UsersService } from '../users/users.service.js';
import { AccountDeletion } from './account/account-deletion.service.js';

/** Whose account a right code opens. */
export interface OpenedAccount {
  user: SignedInUser;
  /** The test account that had the number until now, and is erased. */
  replacedId: string | undefined;
}

/**
 * Finds or makes the account of a sign-in. A fixed code opens test accounts alone, and a code that was texted never
 * opens one: replicas whose `OTP_TEST_NUMBERS` differ, and numbers that are test numbers no longer, would else lead
 * reviewers and people into one account. The database decides who was first.
 */
@Injectable()
export class SignInAccounts {
  constructor(
    private readonly users: UsersService,
    private readonly deletion: AccountDeletion,
    private readonly audit: AuditLog,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** @returns nothing where a fixed code came to an account of somebody. */
  async open(
    transaction: EntityManager,
    { phoneNumber, isTest }: RedeemedOtp,
    { client, now }: { client: ClientInfo; now: Date },
  ): Promise<OpenedAccount | undefined> {
    const user = await this.users.signIn(transaction, { phoneNumber, isTest, now });
    const { userId: id } = user.profile;
    if (isTest) {
      await this.audit.record(transaction, {
        action: user.isTest ? 'test_number_used' : 'test_number_refused',
        actorId: user.isTest ? id : undefined,
        object: { type: 'user', id },
        client,
        payload: { phone_number: maskPhoneNumber(phoneNumber) },
      });
      if (user.isTest) return { user, replacedId: undefined };
      this.log.error(
        { user_id: id, number: maskPhoneNumber(phoneNumber), request_id: client.requestId },
        'a test number belongs to an account that a texted code has made: its fixed code is refused',
      );
      return undefined;
    }
    if (!user.isTest) return { user, replacedId: undefined };
    // Somebody has the number now. They get an account of their own, and whoever knows the fixed code none of theirs.
    await this.deletion.eraseTestAccount(transaction, id);
    const own = await this.users.signIn(transaction, { phoneNumber, isTest, now });
    return { user: own, replacedId: id };
  }
}
