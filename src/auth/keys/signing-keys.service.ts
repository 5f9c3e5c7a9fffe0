import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { EntityManager, IsNull } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { AppKeys } from '../../platform/config/app-keys.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { openKey, sealKey } from './sealed-key.js';
import { type EcPublicJwk, SigningKey } from './signing-key.entity.js';

/** A published key (RFC 7517): public members only. */
export interface PublicJwk extends EcPublicJwk {
  kid: string;
  use: 'sig';
  alg: 'ES256';
}

// Any number does, as long as every replica uses the same.
const LOCK = 4_815_162_343;

/** The keys that sign and check access tokens: made by the server itself, kept encrypted in the database. */
@Injectable()
export class SigningKeys implements OnModuleInit {
  private signer: { kid: string; privateKey: KeyObject } | undefined;
  private readonly publicKeys = new Map<string, KeyObject>();
  private published: readonly PublicJwk[] = [];

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly keys: AppKeys,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.db.transaction(async (transaction) => {
      // Of two replicas that start on an empty table, one makes the key and the other finds it.
      await transaction.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      const rows = await transaction.find(SigningKey, {
        where: { retiredAt: IsNull() },
        order: { signsFrom: 'DESC' },
      });
      this.signer = this.usableSigner(rows);
      if (!this.signer) {
        if (rows.length > 0) {
          this.log.warn(
            'No signing key can be decrypted: APP_SECRET is another than the one they were made under. New keys are ' +
              'made; every refresh token and pending code is lost with the old secret, and people sign in again.',
          );
        }
        rows.push(await this.make(transaction));
      }
      this.publish(rows);
    });
  }

  /** The key that signs now. */
  current(): { kid: string; privateKey: KeyObject } {
    if (!this.signer) throw new Error('SigningKeys is used before it was initialised');
    return this.signer;
  }

  /** The public key of a `kid`, from our own set only. */
  publicKey(kid: string): KeyObject | undefined {
    return this.publicKeys.get(kid);
  }

  jwks(): readonly PublicJwk[] {
    return this.published;
  }

  private usableSigner(rows: readonly SigningKey[]): { kid: string; privateKey: KeyObject } | undefined {
    for (const { kid, keyId, privateKey } of rows) {
      const key = this.keys.byId('signing-key', keyId);
      if (key) return { kid, privateKey: openKey(privateKey, key, kid) };
    }
    return undefined;
  }

  private async make(transaction: EntityManager): Promise<SigningKey> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicJwk = publicKey.export({ format: 'jwk' }) as unknown as EcPublicJwk;
    const kid = thumbprint(publicJwk);
    const { id: keyId, key } = this.keys.current('signing-key');
    const now = this.clock.now();
    const row = transaction.create(SigningKey, {
      kid,
      publicJwk,
      privateKey: sealKey(privateKey, key, kid),
      keyId,
      createdAt: now,
      signsFrom: now,
      retiredAt: null,
    });
    await transaction.insert(SigningKey, row);
    this.signer = { kid, privateKey };
    return row;
  }

  private publish(rows: readonly SigningKey[]): void {
    for (const { kid, publicJwk } of rows) {
      this.publicKeys.set(kid, createPublicKey({ key: { ...publicJwk }, format: 'jwk' }));
    }
    this.published = rows.map(({ kid, publicJwk: { kty, crv, x, y } }) => ({
      kty,
      crv,
      x,
      y,
      kid,
      use: 'sig',
      alg: 'ES256',
    }));
  }
}

/** RFC 7638: the members in this order, and no others. */
function thumbprint({ crv, kty, x, y }: EcPublicJwk): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}
