import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import type { KeyObject } from 'node:crypto';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { AppKeys } from '../../platform/config/app-keys.js';
import { Notifications } from '../../platform/database/notifications.js';
import { inTransaction } from '../../platform/database/statement.js';
import { Jobs } from '../../platform/jobs/jobs.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { KeySeal } from './key-seal.js';
import { type KeyChanges, maintainSigningKeys } from './signing-key-rotation.js';
import { listSigningKeys } from './signing-key-rows.js';
import { type PublicJwk, type Signer, SigningKeySet } from './signing-key-set.js';

// Where notifications are not heard.
const RELOAD_EVERY_MS = 3000;

/**
 * The keys that sign and check access tokens: made and rotated by the server itself, kept encrypted in the database,
 * and followed by every replica while it runs. Which one signs, each replica tells by its clock.
 */
@Injectable()
export class SigningKeys implements OnModuleInit, BeforeApplicationShutdown {
  private readonly seal: KeySeal;
  private set: SigningKeySet;
  private timer: NodeJS.Timeout | undefined;
  private reloading: Promise<void> | undefined;
  private isStale = false;

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly jobs: Jobs,
    private readonly notifications: Notifications,
    keys: AppKeys,
  ) {
    this.seal = new KeySeal(keys);
    this.set = new SigningKeySet([], this.seal);
  }

  async onModuleInit(): Promise<void> {
    this.jobs.handle('signing-keys', () => this.maintain(), { cron: '41 * * * *' });
    this.notifications.subscribe('latchkey_signing_keys', {
      onNotification: () => this.follow(),
      onGap: () => this.follow(),
    });
    await this.maintain();
    this.timer = setInterval(() => this.notifications.isCurrent() || this.follow(), RELOAD_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.reloading;
  }

  /** The key that signs now. */
  current(): Signer {
    const signer = this.set.signer(this.clock.now());
    if (!signer) throw new Error('SigningKeys is used before it was initialised');
    return signer;
  }

  /** The public key of a `kid`, from our own set only. */
  publicKey(kid: string): KeyObject | undefined {
    return this.set.publicKey(kid);
  }

  jwks(): readonly PublicJwk[] {
    return this.set.jwks;
  }

  /** Takes over what any replica, or the command line, has done to the keys. */
  async reload(): Promise<void> {
    const set = new SigningKeySet(await listSigningKeys(this.db), this.seal);
    // Replicas of another secret have retired the keys that we can open.
    if (set.signer(this.clock.now())) this.set = set;
    else await this.maintain();
  }

  private async maintain(): Promise<void> {
    const now = this.clock.now();
    const changes = await inTransaction(this.db, (transaction) =>
      maintainSigningKeys(transaction, this.seal, now),
    );
    this.tell(changes);
    this.set = new SigningKeySet(await listSigningKeys(this.db), this.seal);
  }

  /** Reads the keys; once more where they have changed while they were read. */
  private follow(): void {
    this.isStale = true;
    this.reloading ??= this.catchUp().finally(() => (this.reloading = undefined));
  }

  private async catchUp(): Promise<void> {
    while (this.isStale) {
      this.isStale = false;
      // A database that is away is no longer heard either, and the timer tries again.
      await this.reload().catch((error: unknown) =>
        this.log.warn({ err: error }, 'the signing keys cannot be read; tried again'),
      );
    }
  }

  private tell({ made, resealed, retired, isSecretLost }: KeyChanges): void {
    if (isSecretLost) {
      this.log.warn(
        'No signing key can be decrypted: APP_SECRET is another than the one they were made under. New keys are ' +
          'made; every refresh token and pending code is lost with the old secret, and people sign in again.',
      );
    }
    if (made) this.log.info({ kid: made.kid, signs_from: made.signsFrom }, 'a signing key is made');
    if (resealed.length > 0)
      this.log.info({ kids: resealed }, 'signing keys are sealed under the first secret');
    if (retired.length > 0) this.log.info({ kids: retired }, 'signing keys are retired');
  }
}
