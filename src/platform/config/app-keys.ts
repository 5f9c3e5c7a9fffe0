import { hkdfSync } from 'node:crypto';

/** What a derived key is for; keys of different purposes tell nothing of each other. */
export type KeyPurpose =
  | 'otp'
  | 'phone-limits'
  | 'address-limits'
  | 'refresh-token'
  | 'device-token'
  | 'signing-key'
  | 'idempotency-key'
  | 'nearby-cursor';

export interface DerivedKey {
  /** 8 hexadecimal digits that name the master secret, and tell nothing of it. */
  id: string;
  key: Buffer;
}

/** The keys derived from `APP_SECRET` by HKDF-SHA-256 (RFC 5869): the first secret makes, all check. */
export class AppKeys {
  private readonly secrets: readonly string[];
  private readonly keys = new Map<KeyPurpose, readonly DerivedKey[]>();

  constructor(secrets: readonly string[]) {
    if (secrets.length === 0) throw new Error('AppKeys needs at least one secret');
    this.secrets = [...new Set(secrets)];
  }

  /** The key that makes. */
  current(purpose: KeyPurpose): DerivedKey {
    return this.all(purpose)[0]!;
  }

  /** The key that something was made with, unless its secret has been dropped. */
  byId(purpose: KeyPurpose, id: string): Buffer | undefined {
    return this.all(purpose).find((candidate) => candidate.id === id)?.key;
  }

  /** Every key of a rotation, the one that makes first. */
  all(purpose: KeyPurpose): readonly DerivedKey[] {
    const known = this.keys.get(purpose);
    if (known) return known;
    const derived = this.secrets.map((secret) => ({
      id: derive(secret, 'key-id', 4).toString('hex'),
      key: derive(secret, purpose, 32),
    }));
    this.keys.set(purpose, derived);
    return derived;
  }
}

function derive(secret: string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'latchkey', info, length));
}
