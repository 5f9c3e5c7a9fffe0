import { createHash, generateKeyPairSync } from 'node:crypto';
import type { EntityManager } from 'typeorm';

import type { KeySeal } from './key-seal.js';
import {
  insertSigningKey,
  listSigningKeys,
  lockSigningKeys,
  resealSigningKey,
  retireSigningKeys,
  type SigningKeyRow,
} from './signing-key-rows.js';
import type { EcPublicJwk } from './signing-key.entity.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const SIGNS_FOR_MS = 30 * DAY_MS;
const PUBLISHED_AHEAD_MS = DAY_MS;
// Twice what JWKS may be cached for.
const PUBLISHED_AHEAD_BY_HAND_MS = 10 * MINUTE_MS;
// Of two rotations the second may have looked at its clock before the first did, while it waited for it, or go by another.
const CLOCKS_DIFFER_MS = 5 * MINUTE_MS;
// The longest life of an access token, and five minutes for clocks that disagree.
const LAST_TOKEN_MS = 65 * MINUTE_MS;
// A key that we cannot open may still sign for replicas of another secret: their deployment takes its time.
const LAST_TOKEN_OF_OTHERS_MS = DAY_MS;

/** What was done to the keys. */
export interface KeyChanges {
  made: SigningKeyRow | undefined;
  resealed: readonly string[];
  retired: readonly string[];
  /** There were keys, and no secret that opens one. */
  isSecretLost: boolean;
}

/**
 * Makes the first key and each next one when it is due, seals all under the first secret, and retires those whose last
 * token has expired. In a transaction; of replicas that do it at once, one finds something to do.
 */
export async function maintainSigningKeys(
  transaction: EntityManager,
  seal: KeySeal,
  now: Date,
): Promise<KeyChanges> {
  await lockSigningKeys(transaction);
  const rows = await listSigningKeys(transaction);
  const resealed: string[] = [];
  for (const row of rows) {
    const renewed = seal.renew(row);
    if (!renewed) continue;
    await resealSigningKey(transaction, renewed);
    resealed.push(row.kid);
  }
  const [newest] = rows.filter((row) => seal.open(row));
  const signsFrom = nextStart(newest, now);
  const made = signsFrom && (await makeKey(transaction, seal, { signsFrom, now }));
  const retired = outlived(rows, seal, now);
  await retireSigningKeys(transaction, retired, now);
  return { made, resealed, retired, isSecretLost: rows.length > 0 && !newest };
}

/** A key made by hand, and when the one before it may retire. */
export interface Rotation {
  kid: string;
  signsFrom: Date;
  oldRetiresFrom: Date;
  /** Another rotation has made it just before. */
  isUnderWay: boolean;
}

/**
 * Publishes a next key that signs in ten minutes, in place of one that waits for its turn by schedule. In a
 * transaction; what another rotation by hand has just made is used.
 *
 * @returns nothing where there are keys, and none that these secrets open.
 */
export async function rotateSigningKeys(
  transaction: EntityManager,
  seal: KeySeal,
  now: Date,
): Promise<Rotation | undefined> {
  await lockSigningKeys(transaction);
  const rows = await listSigningKeys(transaction);
  const usable = rows.filter((row) => seal.open(row));
  if (rows.length > 0 && usable.length === 0) return undefined;
  const signsFrom = rows.length > 0 ? after(now, PUBLISHED_AHEAD_BY_HAND_MS) : now;
  const waiting = usable.filter((row) => row.signsFrom > now);
  const soon = after(signsFrom, CLOCKS_DIFFER_MS);
  const underWay = waiting.find((row) => row.signsFrom <= soon);
  const later = waiting.filter((row) => row.signsFrom > soon).map(({ kid }) => kid);
  await retireSigningKeys(transaction, later, now);
  const next = underWay ?? (await makeKey(transaction, seal, { signsFrom, now }));
  return {
    kid: next.kid,
    signsFrom: next.signsFrom,
    oldRetiresFrom: after(next.signsFrom, LAST_TOKEN_MS),
    isUnderWay: underWay !== undefined,
  };
}

/** When a key that is to be made now begins to sign; nothing while none is due. */
function nextStart(newest: SigningKeyRow | undefined, now: Date): Date | undefined {
  if (!newest) return now;
  const planned = after(newest.signsFrom, SIGNS_FOR_MS);
  const earliest = after(now, PUBLISHED_AHEAD_MS);
  if (planned > earliest) return undefined;
  return earliest;
}

/** The keys that have been replaced for so long that no token of theirs is good any more. */
function outlived(rows: readonly SigningKeyRow[], seal: KeySeal, now: Date): string[] {
  let replacedAt: Date | undefined;
  const kids: string[] = [];
  for (const row of rows) {
    const isOpen = seal.open(row) !== undefined;
    const lingers = isOpen ? LAST_TOKEN_MS : LAST_TOKEN_OF_OTHERS_MS;
    if (replacedAt && after(replacedAt, lingers) <= now) kids.push(row.kid);
    if (isOpen) replacedAt = row.signsFrom;
  }
  return kids;
}

async function makeKey(
  transaction: EntityManager,
  seal: KeySeal,
  { signsFrom, now }: { signsFrom: Date; now: Date },
): Promise<SigningKeyRow> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = publicKey.export({ format: 'jwk' }) as unknown as EcPublicJwk;
  const row = { ...seal.seal(thumbprint(publicJwk), privateKey), publicJwk, signsFrom };
  await insertSigningKey(transaction, row, now);
  return row;
}

/** RFC 7638: the members in this order, and no others. */
function thumbprint({ crv, kty, x, y }: EcPublicJwk): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

function after(time: Date, milliseconds: number): Date {
  return new Date(time.getTime() + milliseconds);
}
