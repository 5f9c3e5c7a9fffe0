import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { Problem } from '../platform/http/problem.js';
import {
  countPhoneChange,
  lockPhoneNumber,
  movePhoneNumber,
  ownerOfNumber,
  readPhoneChanges,
  uncountPhoneChange,
} from './phone-number-rows.js';

const MAX_CHANGES = 3;
const WINDOW_MS = 24 * 60 * 60 * 1000;

/** Whose a number is, and moves of users to other ones. */
@Injectable()
export class UserNumbers {
  constructor(@InjectEntityManager() private readonly db: EntityManager) {}

  /** The user of a number, suspended or not. */
  ownerOf(phoneNumber: string): Promise<string | undefined> {
    return ownerOfNumber(this.db, phoneNumber);
  }

  /**
   * Counts a code that a user has asked for, to move to a number: three a day.
   *
   * @throws {Problem} `validation_failed` where it is their number already, `otp_limit_reached`.
   */
  async countChange(
    transaction: EntityManager,
    userId: string,
    phoneNumber: string,
    now: Date,
  ): Promise<void> {
    const since = new Date(now.getTime() - WINDOW_MS);
    if (await countPhoneChange(transaction, { userId, phoneNumber, now, since, max: MAX_CHANGES })) return;
    const found = await readPhoneChanges(transaction, userId);
    // Deleted a moment ago.
    if (!found) throw new Problem('access_token_invalid');
    if (found.phoneNumber === phoneNumber) throw unchanged();
    const counted = found.askedAt.map((at) => at.getTime()).sort((one, other) => other - one);
    const nextAt = (counted[MAX_CHANGES - 1] ?? 0) + WINDOW_MS;
    const retryAfter = Math.max(1, Math.ceil((nextAt - now.getTime()) / 1000));
    throw new Problem('otp_limit_reached', { retry_after: retryAfter });
  }

  /** Takes back what `countChange` counted at that time. */
  uncountChange(manager: EntityManager, userId: string, at: Date): Promise<void> {
    return uncountPhoneChange(manager, userId, at);
  }

  /**
   * Gives a user the number that they have proved to have. Sign-ins with the old one wait for the end of the
   * transaction, and then make a user of their own.
   *
   * @returns the old number; nothing where the new one belongs to another user.
   */
  async move(
    transaction: EntityManager,
    userId: string,
    phoneNumber: string,
  ): Promise<{ oldNumber: string } | undefined> {
    const oldNumber = await lockPhoneNumber(transaction, userId);
    if (oldNumber === undefined) throw new Problem('access_token_invalid');
    if (oldNumber === phoneNumber) throw unchanged();
    return (await movePhoneNumber(transaction, userId, phoneNumber)) ? { oldNumber } : undefined;
  }
}

function unchanged(): Problem {
  const message = 'phone_number is that of the account already';
  return new Problem('validation_failed', {
    errors: [{ field: 'phone_number', code: 'unchanged', message }],
  });
}
