import { createPrivateKey, type KeyObject } from 'node:crypto';

import type { AppKeys } from '../../platform/config/app-keys.js';
import { seal, unseal } from '../../platform/config/seal.js';
import type { SigningKeyRow } from './signing-key-rows.js';

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

/** `kid` is sealed with the key, so that no row can be passed off as another. */
function sealKey(privateKey: KeyObject, key: Buffer, kid: string): Buffer {
  return seal(privateKey.export({ type: 'pkcs8', format: 'der' }), key, kid);
}

/** @throws where key or `kid` are not those that it was sealed with. */
function openKey(sealed: Buffer, key: Buffer, kid: string): KeyObject {
  return createPrivateKey({ key: unseal(sealed, key, kid), format: 'der', type: 'pkcs8' });
}
