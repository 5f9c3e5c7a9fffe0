import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import type { PostgresBinaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { findPostmaster, type Postmaster, stopPostmaster } from './process.js';
import { ClusterSession, isNotNow, type Role } from './session.js';

/** A server that this process holds exclusively. */
export interface Held {
  cluster: Cluster;
  binaries: PostgresBinaries;
  role: Role;
  session: ClusterSession;
  postmaster: Postmaster;
  /** Where this process has started it. */
  child: ChildProcess | undefined;
  log: (message: string) => void;
}

const RETAKE_TRIES = 1000;
const RETAKE_PAUSE_MS = 10;

/** Keeps the hold on a cluster until `stop()`. */
export class ClusterHold {
  private session: ClusterSession | undefined;
  private retaken: Promise<void> = Promise.resolve();
  private stopped: Promise<void> | undefined;

  constructor(private readonly held: Held) {
    this.keep(held.session);
  }

  /** Stops PostgreSQL; resolves when its process is gone. A second call waits for the first. */
  stop(): Promise<void> {
    return (this.stopped ??= this.release());
  }

  private keep(session: ClusterSession): void {
    this.session = session;
    session.watch(() => {
      this.session = undefined;
      this.retaken = this.retake();
    });
  }

  private async release(): Promise<void> {
    await this.retaken;
    const { session } = this;
    // Without the hold, what runs there now may be another's.
    if (!session) return;
    const { cluster, binaries, role, postmaster, child, log } = this.held;
    session.expectEnd();
    try {
      if (role === 'command' && !(await session.visitorsGone()))
        log('Stopping PostgreSQL under another command');
      // Still holding, so that nobody takes over what is about to stop.
      await stopPostmaster(cluster, postmaster, child, binaries, log);
    } finally {
      await session.close();
    }
  }

  /** After the crash of one backend PostgreSQL ends every connection, and goes on under the same process. */
  private async retake(): Promise<void> {
    const { cluster, role, postmaster, log } = this.held;
    log('The connection that holds the embedded PostgreSQL was lost: taking it again');
    try {
      for (let attempt = 0; attempt < RETAKE_TRIES; attempt += 1) {
        const found = await findPostmaster(cluster);
        if (found?.pid !== postmaster.pid) break;
        if (found.ready && (await this.tryRetake(found.port, role))) return;
        await sleep(RETAKE_PAUSE_MS, undefined, { ref: false });
      }
      log(`The embedded PostgreSQL in ${cluster.path} has stopped or was taken: restart Latchkey`);
    } catch (error) {
      log(`The embedded PostgreSQL in ${cluster.path} is lost: ${String(error)}`);
    }
  }

  private async tryRetake(port: number, role: Role): Promise<boolean> {
    const session = await ClusterSession.open(this.held.cluster, port, role);
    if (!session) return false;
    const taken = await session.tryHold().catch((error: unknown) => {
      if (isNotNow(error)) return false;
      throw error;
    });
    if (taken) this.keep(session);
    else await session.close();
    return taken;
  }
}
