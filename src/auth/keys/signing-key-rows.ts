import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import type { EcPublicJwk } from './signing-key.entity.js';

// Every statement on `signing_keys`.

/** A key that has not retired. */
export interface SigningKeyRow {
  kid: string;
  publicJwk: EcPublicJwk;
  /** Sealed. */
  privateKey: Buffer;
  /** The secret that it is sealed under. */
  keyId: string;
  signsFrom: Date;
}

// Any number does, as long as every replica uses the same.
const LOCK = 4_815_162_343;

const lock = statement<never>('signing_key_lock', `SELECT pg_advisory_xact_lock(${LOCK})`);

/** Until the end of the transaction nobody else makes, seals or retires keys. */
export async function lockSigningKeys(transaction: EntityManager): Promise<void> {
  await lock(transaction, []);
}

const list = statement<{
  kid: string;
  public_jwk: EcPublicJwk;
  private_key: Buffer;
  key_id: string;
  signs_from: Date;
}>(
  'signing_key_list',
  `SELECT kid, public_jwk, private_key, key_id, signs_from FROM signing_keys WHERE retired_at IS NULL
   ORDER BY signs_from DESC, kid`,
);

/** Every key that has not retired, the last to sign first. */
export async function listSigningKeys(manager: EntityManager): Promise<SigningKeyRow[]> {
  const rows = await list(manager, []);
  return rows.map((row) => ({
    kid: row.kid,
    publicJwk: row.public_jwk,
    privateKey: row.private_key,
    keyId: row.key_id,
    signsFrom: row.signs_from,
  }));
}

const insert = statement<never>(
  'signing_key_insert',
  `INSERT INTO signing_keys (kid, public_jwk, private_key, key_id, created_at, signs_from)
   VALUES ($1, $2, $3, $4, $5, $6)`,
);

export async function insertSigningKey(
  transaction: EntityManager,
  { kid, publicJwk, privateKey, keyId, signsFrom }: SigningKeyRow,
  now: Date,
): Promise<void> {
  await insert(transaction, [kid, publicJwk, privateKey, keyId, now, signsFrom]);
}

const reseal = statement<never>(
  'signing_key_reseal',
  'UPDATE signing_keys SET private_key = $2, key_id = $3 WHERE kid = $1 AND retired_at IS NULL',
);

/** Keeps a private half as sealed under another secret. */
export async function resealSigningKey(
  transaction: EntityManager,
  { kid, privateKey, keyId }: Pick<SigningKeyRow, 'kid' | 'privateKey' | 'keyId'>,
): Promise<void> {
  await reseal(transaction, [kid, privateKey, keyId]);
}

const retire = statement<never>(
  'signing_key_retire',
  'UPDATE signing_keys SET retired_at = $2, private_key = NULL WHERE kid = ANY ($1) AND retired_at IS NULL',
);

/** Takes keys out of use for ever; their private halves go. */
export async function retireSigningKeys(
  transaction: EntityManager,
  kids: readonly string[],
  now: Date,
): Promise<void> {
  if (kids.length > 0) await retire(transaction, [kids, now]);
}
