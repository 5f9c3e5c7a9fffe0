import { Injectable } from '@nestjs/common';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import { AppKeys } from '../platform/config/app-keys.js';

const KEY_ID_BYTES = 4;
const DEVICE_ID_BYTES = 16;
const MAC_BYTES = 32;
const TOKEN_LENGTH = Math.ceil(((KEY_ID_BYTES + DEVICE_ID_BYTES + MAC_BYTES) * 4) / 3);

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
    const mac = macOf(key, { deviceId, phoneNumber, userId });
    return Buffer.concat([Buffer.from(id, 'hex'), deviceId, mac]).toString('base64url');
  }

  /** @returns the id of the device that a token was made for; nothing where it is not one of this number and user. */
  deviceOf(token: string | undefined, phoneNumber: string, userId: string | undefined): string | undefined {
    if (token === undefined || userId === undefined || token.length !== TOKEN_LENGTH) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.toString('base64url') !== token) return undefined;
    const key = this.keys.byId('device-token', bytes.subarray(0, KEY_ID_BYTES).toString('hex'));
    const deviceId = bytes.subarray(KEY_ID_BYTES, KEY_ID_BYTES + DEVICE_ID_BYTES);
    const mac = bytes.subarray(KEY_ID_BYTES + DEVICE_ID_BYTES);
    if (!key || !timingSafeEqual(mac, macOf(key, { deviceId, phoneNumber, userId }))) return undefined;
    return deviceId.toString('base64url');
  }
}

function macOf(
  key: Buffer,
  { deviceId, phoneNumber, userId }: { deviceId: Buffer; phoneNumber: string; userId: string },
): Buffer {
  return createHmac('sha256', key).update(deviceId).update([userId, phoneNumber].join('\0')).digest();
}
