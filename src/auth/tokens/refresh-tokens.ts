import { Injectable } from '@nestjs/common';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { parse as uuidBytes, stringify as uuidText } from 'uuid';

import { AppKeys } from '../../platform/config/app-keys.js';

/** What a refresh token says of itself; not to be believed before {@link RefreshTokens.verify}. */
export interface ParsedRefreshToken {
  keyId: string;
  sessionId: string;
  counter: number;
  mac: Buffer;
}

const KEY_ID_BYTES = 4;
const SESSION_ID_END = KEY_ID_BYTES + 16;
const COUNTER_END = SESSION_ID_END + 4;
const TOKEN_BYTES = COUNTER_END + 32;
const TOKEN = /^[A-Za-z0-9_-]{75}$/;

/**
 * Refresh tokens are derived, never stored: base64url of key id (4 bytes), session id (16), counter (4) and an
 * HMAC-SHA-256 (32) over these and the random salt of the session's row. Neither the secret alone nor the database
 * alone makes one, and the same one can be made again.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly keys: AppKeys) {}

  make(session: { id: string; counter: number; salt: Buffer }): string {
    const { id: keyId, key } = this.keys.current('refresh-token');
    const named = nameOf(keyId, session.id, session.counter);
    return Buffer.concat([named, mac(key, named, session.salt)]).toString('base64url');
  }

  /** The parts of a well-formed token. */
  parse(token: string): ParsedRefreshToken | undefined {
    if (!TOKEN.test(token)) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    // Of 75 characters the last has spare bits: only one spelling of a token is the token.
    if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== token) return undefined;
    return {
      keyId: bytes.toString('hex', 0, KEY_ID_BYTES),
      sessionId: uuidText(bytes, KEY_ID_BYTES),
      counter: bytes.readUInt32BE(SESSION_ID_END),
      mac: bytes.subarray(COUNTER_END),
    };
  }

  /** Whether the token was made by us for the session of this salt. In constant time. */
  verify({ keyId, sessionId, counter, mac: given }: ParsedRefreshToken, salt: Buffer): boolean {
    const key = this.keys.byId('refresh-token', keyId);
    if (!key) return false;
    return timingSafeEqual(mac(key, nameOf(keyId, sessionId, counter), salt), given);
  }
}

function nameOf(keyId: string, sessionId: string, counter: number): Buffer {
  const counterBytes = Buffer.alloc(4);
  counterBytes.writeUInt32BE(counter);
  return Buffer.concat([Buffer.from(keyId, 'hex'), uuidBytes(sessionId), counterBytes]);
}

function mac(key: Buffer, named: Buffer, salt: Buffer): Buffer {
  return createHmac('sha256', key).update(named).update(salt).digest();
}
