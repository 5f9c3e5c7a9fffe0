import { Injectable } from '@nestjs/common';
import { createHmac, randomBytes } from 'node:crypto';

import { AppKeys } from '../platform/config/app-keys.js';

const DEVICE_ID_BYTES = 16;

/**
 * Tokens that say "this device signed in to this number before", and open nothing. Base64url of key id (4 bytes),
 * device id (16), and an HMAC-SHA-256 (32) over device id, user and number: they die with the account and with a
 * change of its number.
 */
@Injectable()
export class DeviceTokens {
  constructor(private readonly keys: AppKeys) {}

  make(phoneNumber: string, userId: string): string {
    const { id, key } = this.keys.current('device-token');
    const deviceId = randomBytes(DEVICE_ID_BYTES);
    const mac = createHmac('sha256', key).update(deviceId).update([userId, phoneNumber].join('\0')).digest();
    return Buffer.concat([Buffer.from(id, 'hex'), deviceId, mac]).toString('base64url');
  }
}
