import { Injectable } from '@nestjs/common';
import { type EntityManager, MoreThan } from 'typeorm';
import { NIL } from 'uuid';

import { PhoneOtp } from './phone-otp.entity.js';

/** Whose codes are meant: those sent to a number, and those that a user asked for to move to another. */
export interface OtpOwner {
  phoneNumber: string;
  userId: string;
}

/** What is kept of the codes of a user. Counts and waits are kept under an HMAC of the number, and outlive them. */
@Injectable()
export class OtpRecords {
  /** The oldest first. @param page.after only those made after the one of this id. */
  list(
    manager: EntityManager,
    { phoneNumber, userId }: OtpOwner,
    { limit, after = NIL }: { limit: number; after: string | undefined },
  ): Promise<PhoneOtp[]> {
    const id = MoreThan(after);
    return manager.find(PhoneOtp, {
      where: [
        { phoneNumber, purpose: 'sign_in', id },
        { userId, id },
      ],
      order: { id: 'ASC' },
      take: limit,
    });
  }

  async erase(transaction: EntityManager, { phoneNumber, userId }: OtpOwner): Promise<void> {
    await transaction.delete(PhoneOtp, [{ phoneNumber, purpose: 'sign_in' }, { userId }]);
  }
}
