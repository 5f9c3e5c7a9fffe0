import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { DataSource } from 'typeorm';

import { type Logger, LOGGER } from '../observability/logger.js';
import { statement } from './statement.js';

export interface Subscriber {
  /** In the order of the commits that sent them, this process's own included. */
  onNotification(payload: string): void;
  /** Something may have been missed: forget what rests on having heard everything. */
  onGap(): void;
}

const PROOF_INTERVAL_MS = 1000;
/** How old the last proof may be. With the time that a notification takes, replicas lag by 5 seconds at most. */
const TRUSTED_MS = 4000;
const DEAD_MS = 8000;
const RECONNECT_MS = 500;
const FIRST_PROOF_MS = 2000;

const prove = statement<never>('notifications_prove', 'SELECT pg_notify($1, $2)');

/**
 * PostgreSQL's LISTEN and NOTIFY, on a connection of its own.
 *
 * Silence on it means nothing by itself: the connection may be dead, or a pooler in between may swallow what is sent.
 * So a notification is sent to it every second, by another connection, as those that count are. PostgreSQL hands
 * notifications out in the order of their commits: when that one is here, all that were committed before it have been
 * heard.
 */
@Injectable()
export class Notifications implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly subscribers = new Map<string, Subscriber[]>();
  private readonly proofChannel = `latchkey_proof_${randomBytes(8).toString('hex')}`;
  private readonly stopping = new AbortController();
  private readonly proofs = new EventTarget();
  private provenAt = Number.NEGATIVE_INFINITY;
  private running: Promise<void> | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** To be called before the app has started, as in `onModuleInit`. */
  subscribe(channel: string, subscriber: Subscriber): void {
    this.subscribers.set(channel, [...(this.subscribers.get(channel) ?? []), subscriber]);
  }

  /** Whether everything committed more than 4 seconds ago has been heard, gaps included. */
  isCurrent(): boolean {
    return performance.now() - this.provenAt < TRUSTED_MS;
  }

  async onApplicationBootstrap(): Promise<void> {
    const firstProof = once(this.proofs, 'proof', { signal: AbortSignal.timeout(FIRST_PROOF_MS) });
    this.running = this.run();
    // Without one the app starts all the same, and asks the database instead.
    await firstProof.catch(() => undefined);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    let isLost = false;
    while (!this.stopping.signal.aborted) {
      try {
        await this.listen(() => {
          if (isLost) this.log.info('notifications of the database are heard again');
          isLost = false;
        });
      } catch (err) {
        if (!isLost)
          this.log.warn({ err }, 'no notifications of the database are heard: it is asked instead');
        isLost = true;
      }
      await this.pause(RECONNECT_MS);
    }
  }

  /** Listens until the connection breaks, or is no good. */
  private async listen(onProof: () => void): Promise<void> {
    const client = this.newClient();
    try {
      const broken = new Promise<never>((_, reject) => {
        client.on('error', reject).on('end', () => reject(new Error('the connection has ended')));
      });
      broken.catch(() => undefined);
      client.on('notification', ({ channel, payload = '' }) => {
        if (channel === this.proofChannel) {
          this.acceptProof(Number(payload));
          onProof();
        }
        for (const subscriber of this.subscribers.get(channel) ?? []) subscriber.onNotification(payload);
      });
      await client.connect();
      for (const channel of [this.proofChannel, ...this.subscribers.keys()]) {
        await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      }
      // What was sent before this stood is lost: the first proof tells of that gap.
      const since = performance.now();
      while (!this.stopping.signal.aborted) {
        this.askForProof();
        await Promise.race([this.pause(PROOF_INTERVAL_MS), broken]);
        if (performance.now() - Math.max(this.provenAt, since) > DEAD_MS) {
          throw new Error('LISTEN hears nothing: does a pooler stand in between that shares connections?');
        }
      }
    } finally {
      // No goodbye on a connection that may hang.
      this.provenAt = Number.NEGATIVE_INFINITY;
      await Promise.race([
        client.end().catch(() => undefined),
        delay(RECONNECT_MS, undefined, { ref: false }),
      ]);
    }
  }

  private tellGap(): void {
    for (const subscriber of [...this.subscribers.values()].flat()) subscriber.onGap();
  }

  private newClient(): pg.Client {
    const { url } = this.dataSource.options as { url?: string };
    return new pg.Client({
      connectionString: url,
      application_name: 'latchkey notifications',
      connectionTimeoutMillis: 5000,
      query_timeout: TRUSTED_MS,
      keepAlive: true,
    });
  }

  // The time when it was asked for is what counts, not the time when it came. Where asking fails, none comes.
  private askForProof(): void {
    prove(this.dataSource.manager, [this.proofChannel, String(performance.now())]).catch(() => undefined);
  }

  private acceptProof(askedAt: number): void {
    // Whatever kept proofs away may have kept others away for good.
    if (!this.isCurrent()) this.tellGap();
    this.provenAt = askedAt;
    this.proofs.dispatchEvent(new Event('proof'));
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
