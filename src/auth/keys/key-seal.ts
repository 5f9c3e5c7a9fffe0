import { createCipheriv, createDecipheriv, createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';

import type { AppKeys } from '../../platform/config/app-keys.js';
import type { SigningKeyRow } from './signing-key-rows.js';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

type Sealed = Pick<SigningKeyRow, 'kid' | 'privateKey' | 'keyId'>;

/** Seals private halves under the first secret of `APP_SECRET`, and opens those that are sealed under any of them. */
export class KeySeal {
  /** By kid: a key once opened stays open, under whatever secret another replica seals it later. */
  private readonly opened = new Map<string, KeyObject>();

  constructor(private readonly keys: AppKeys) {}

  seal(kid: string, privateKey: KeyObject): Sealed {
    const { id: keyId, key } = this.keys.current('signing-key');
    return { kid, privateKey: sealKey(privateKey, key, kid), keyId };
  }

  /** Nothing where its secret is not on the list, or the row was tampered with. */
  open({ kid, privateKey, keyId }: Sealed): KeyObject | undefined {
    const known = this.opened.get(kid);
    if (known) return known;
    const key = this.keys.byId('signing-key', keyId);
    if (!key) return undefined;
    try {
      const opened = openKey(privateKey, key, kid);
      this.opened.set(kid, opened);
      return opened;
    } catch {
      return undefined;
    }
  }

  /** The same key under the first secret; nothing where it is so already, or its secret is not on our list. */
  renew(row: Sealed): Sealed | undefined {
    if (row.keyId === this.keys.current('signing-key').id) return undefined;
    if (!this.keys.byId('signing-key', row.keyId)) return undefined;
    const opened = this.open(row);
    return opened && this.seal(row.kid, opened);
  }
}

/** Encrypts a private key; `kid` is authenticated with it, so that no row can be passed off as another. */
function sealKey(privateKey: KeyObject, key: Buffer, kid: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(kid));
  const sealed = [cipher.update(privateKey.export({ type: 'pkcs8', format: 'der' })), cipher.final()];
  return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]);
}

/** @throws where key or `kid` are not those that it was sealed with. */
function openKey(sealed: Buffer, key: Buffer, kid: string): KeyObject {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(kid))
    .setAuthTag(tag);
  const der = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
