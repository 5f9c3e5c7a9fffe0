import { Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import type { EntityManager } from 'typeorm';

import { AppKeys } from '../platform/config/app-keys.js';
import { nextSendAt } from './phone-otps.js';

/** The waits between two codes for one number, kept under an HMAC of it. */
@Injectable()
export class PhoneWaits {
  constructor(private readonly keys: AppKeys) {}

  /** What rows about a number are found by. */
  keyOf(phoneNumber: string): Buffer {
    return createHmac('sha256', this.keys.current('phone-limits').key).update(phoneNumber).digest();
  }

  /** Whole seconds until the number may be sent another code. */
  async secondsLeft(manager: EntityManager, phoneNumber: string, now: Date): Promise<number> {
    const until = await nextSendAt(manager, this.keyOf(phoneNumber));
    return until ? Math.max(0, Math.ceil((until.getTime() - now.getTime()) / 1000)) : 0;
  }
}
