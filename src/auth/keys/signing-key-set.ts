import { createPublicKey, type KeyObject } from 'node:crypto';

import type { KeySeal } from './key-seal.js';
import type { SigningKeyRow } from './signing-key-rows.js';
import type { EcPublicJwk } from './signing-key.entity.js';

/** A published key (RFC 7517): public members only. */
export interface PublicJwk extends EcPublicJwk {
  kid: string;
  use: 'sig';
  alg: 'ES256';
}

/** A key that can sign. */
export interface Signer {
  kid: string;
  privateKey: KeyObject;
}

/** The keys at one time: every one checks and is published, those that can be opened sign in their turn. */
export class SigningKeySet {
  readonly jwks: readonly PublicJwk[];
  private readonly publicKeys: ReadonlyMap<string, KeyObject>;
  /** The last to sign first. */
  private readonly signers: readonly (Signer & { signsFrom: Date })[];

  constructor(rows: readonly SigningKeyRow[], seal: KeySeal) {
    this.jwks = rows.map(({ kid, publicJwk: { kty, crv, x, y } }) => ({
      kty,
      crv,
      x,
      y,
      kid,
      use: 'sig',
      alg: 'ES256',
    }));
    this.publicKeys = new Map(
      rows.map(({ kid, publicJwk }) => [kid, createPublicKey({ key: { ...publicJwk }, format: 'jwk' })]),
    );
    this.signers = rows.flatMap((row) => {
      const privateKey = seal.open(row);
      return privateKey ? [{ kid: row.kid, signsFrom: row.signsFrom, privateKey }] : [];
    });
  }

  /** The key whose turn it is. Where the clock of the replica that made the first one is ahead of ours, that one. */
  signer(now: Date): Signer | undefined {
    return this.signers.find(({ signsFrom }) => signsFrom <= now) ?? this.signers.at(-1);
  }

  publicKey(kid: string): KeyObject | undefined {
    return this.publicKeys.get(kid);
  }
}
