import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { PhoneOtp } from './phone-otp.entity.js';

/** Whose codes are meant: those sent to a number, and those that a user asked for to move to another. */
export interface OtpOwner {
  phoneNumber: string;
  userId: string;
}

/** What is kept of the codes of a user. Counts and waits are kept under an HMAC of the number, and outlive them. */
@Injectable()
export class OtpRecords {
  /** The oldest first. */
  list(manager: EntityManager, { phoneNumber, userId }: OtpOwner): Promise<PhoneOtp[]> {
    return manager.find(PhoneOtp, {
      where: [{ phoneNumber, purpose: 'sign_in' }, { userId }],
      order: { id: 'ASC' },
    });
  }

  async erase(transaction: EntityManager, { phoneNumber, userId }: OtpOwner): Promise<void> {
    await transaction.delete(PhoneOtp, [{ phoneNumber, purpose: 'sign_in' }, { userId }]);
  }
}
