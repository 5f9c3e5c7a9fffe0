import { parse as uuidBytes, stringify as uuidText } from 'uuid';

import type { AppKeys } from '../../platform/config/app-keys.js';
import { seal, unseal } from '../../platform/config/seal.js';
import type { CursorFormat } from '../../platform/http/cursor.js';
import type { Found } from './nearby-rows.js';

const KEY_ID_BYTES = 4;
const CHORD_BYTES = 8;

/**
 * The place in a list by distance: the last user, and how far they are. Sealed, as it goes to clients: the exact
 * distance is what a rounded one keeps from them. Base64url of key id (4 bytes) and sealed text.
 */
export function nearbyCursor(keys: AppKeys): CursorFormat<Found> {
  return {
    encode: ({ userId, chord }) => {
      const { id, key } = keys.current('nearby-cursor');
      const content = Buffer.alloc(CHORD_BYTES);
      content.writeDoubleBE(chord);
      const sealed = seal(Buffer.concat([content, uuidBytes(userId)]), key, 'nearby-cursor');
      return Buffer.concat([Buffer.from(id, 'hex'), sealed]).toString('base64url');
    },
    decode: (cursor) => {
      const bytes = Buffer.from(cursor, 'base64url');
      const key = keys.byId('nearby-cursor', bytes.subarray(0, KEY_ID_BYTES).toString('hex'));
      if (!key) return undefined;
      try {
        const content = unseal(bytes.subarray(KEY_ID_BYTES), key, 'nearby-cursor');
        return { chord: content.readDoubleBE(), userId: uuidText(content.subarray(CHORD_BYTES)) };
      } catch {
        return undefined;
      }
    },
  };
}
