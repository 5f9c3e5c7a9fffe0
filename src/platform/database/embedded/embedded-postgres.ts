import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { OperatorError } from '../../operator-error.js';
import { findPostgresBinaries, type PostgresBinaries } from './binaries.js';
import {
  type Cluster,
  clusterExists,
  createCluster,
  locateCluster,
  NAME,
  readPassword,
  tidyUp,
} from './cluster.js';
import { ClusterHold } from './hold.js';
import { findPostmaster, launchPostmaster, logFile, type Postmaster, stopPostmaster } from './process.js';
import { ClusterSession, isNotNow, type Role } from './session.js';

export interface EmbeddedPostgresOptions {
  /** `EMBEDDED_DATABASE_DIR`; the cluster goes into `<directory>/postgres`. */
  directory: string;
  /** False only for throw-away test clusters: fsync, synchronous_commit and full_page_writes off. Default true. */
  durable?: boolean;
  /** One line of progress for a person. */
  log?: (message: string) => void;
}

export interface EmbeddedPostgres {
  /** `postgres://latchkey:<password>@127.0.0.1:<port>/latchkey` */
  url: string;
  /** True when a running PostgreSQL left by a killed server was taken over. */
  adopted: boolean;
  /** Stops PostgreSQL, or only disconnects from one that a live server holds. May be called again. */
  stop(): Promise<void>;
}

/** Another live process holds the directory; the message names it and what to do next. */
class EmbeddedPostgresInUseError extends OperatorError {
  override readonly name = 'EmbeddedPostgresInUseError';
}

/**
 * Starts the cluster, or takes over one that a killed server has left running, and holds it exclusively until `stop()`.
 *
 * @throws {EmbeddedPostgresInUseError} where another live process has it.
 * @throws where the binaries are missing or PostgreSQL does not start; the message says what to do.
 */
export function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return open(options, 'server');
}

/**
 * For command-line tools: uses the cluster of a live server where one runs (`stop()` then only disconnects), else starts
 * it for as long as the caller needs it.
 *
 * @throws where the binaries are missing or PostgreSQL does not start; the message says what to do.
 */
export function attachEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return open(options, 'command');
}

const PAUSE_MS = 25;
const PROGRESS_MS = 3000;
const GIVE_UP_MS = 300_000;
// After the crash of a backend PostgreSQL ends every connection; a live holder takes its hold again well within this.
const LIVE_HOLDER_RETURNS_WITHIN_MS = 250;
// The backend of a client that was killed takes a moment to notice.
const HOLDER_GOES_WITHIN_MS = 2000;

interface Wanted {
  cluster: Cluster;
  binaries: PostgresBinaries;
  role: Role;
  durable: boolean;
  log: (message: string) => void;
}

async function open(options: EmbeddedPostgresOptions, role: Role): Promise<EmbeddedPostgres> {
  const { directory, durable = true, log = () => undefined } = options;
  const cluster = await locateCluster(directory, log);
  const wanted = { cluster, binaries: await findPostgresBinaries(cluster.user, log), role, durable, log };
  const waiting = new Waiting(wanted);
  let child: ChildProcess | undefined;
  // Others may start, stop or be killed on the same cluster at any moment: look afresh until one look settles it.
  for (;;) {
    const postmaster = await findPostmaster(cluster);
    if (!postmaster) {
      child = await launch(wanted);
    } else {
      const mine = child?.pid === postmaster.pid ? child : undefined;
      const opened = postmaster.ready && (await take(wanted, postmaster, mine));
      if (opened) return opened;
    }
    await waiting.pause(postmaster ? PAUSE_MS : 0);
  }
}

async function launch({ cluster, binaries, durable, log }: Wanted): Promise<ChildProcess | undefined> {
  if (!(await clusterExists(cluster, binaries))) await createCluster(cluster, binaries, durable, log);
  return launchPostmaster(cluster, binaries, durable, log);
}

/** @returns nothing where the server went away meanwhile. */
async function take(
  wanted: Wanted,
  postmaster: Postmaster,
  child: ChildProcess | undefined,
): Promise<EmbeddedPostgres | undefined> {
  const session = await ClusterSession.open(wanted.cluster, postmaster.port, wanted.role);
  if (!session) return undefined;
  try {
    if (!child && !(await session.holder())) await sleep(LIVE_HOLDER_RETURNS_WITHIN_MS);
    const opened = (await canHold(session, wanted.role))
      ? await hold(wanted, session, postmaster, child)
      : await visit(wanted, session, postmaster);
    if (!opened) await session.close();
    return opened;
  } catch (error) {
    await session.close();
    if (isNotNow(error)) return undefined;
    throw error;
  }
}

async function canHold(session: ClusterSession, role: Role): Promise<boolean> {
  const started = performance.now();
  while (!(await session.tryHold())) {
    if (role === 'command' || performance.now() - started > HOLDER_GOES_WITHIN_MS) return false;
    await sleep(PAUSE_MS);
  }
  return true;
}

async function hold(
  wanted: Wanted,
  session: ClusterSession,
  postmaster: Postmaster,
  child: ChildProcess | undefined,
): Promise<EmbeddedPostgres | undefined> {
  const { cluster, binaries, role, durable, log } = wanted;
  const stop = () => stopPostmaster(cluster, postmaster, child, binaries, log);
  if (durable && !(await session.isDurable())) {
    log('The PostgreSQL that runs there was started without fsync: starting it again with it');
    await stop();
    return undefined;
  }
  try {
    await tidyUp(cluster);
    await session.ensureDatabase();
  } catch (error) {
    await stop();
    throw error;
  }
  if (!child) log('Took over the embedded PostgreSQL that an earlier server left running');
  const held = new ClusterHold({ cluster, binaries, role, session, postmaster, child, log });
  return { url: await urlOf(cluster, postmaster), adopted: !child, stop: () => held.stop() };
}

async function visit(
  { cluster, role }: Wanted,
  session: ClusterSession,
  postmaster: Postmaster,
): Promise<EmbeddedPostgres | undefined> {
  if (role === 'server') throw new EmbeddedPostgresInUseError(await whoHasIt(cluster, session));
  // Refused where a command is about to stop the server: this one then starts it again.
  if (!(await session.tryVisit())) return undefined;
  session.watch(() => undefined);
  return { url: await urlOf(cluster, postmaster), adopted: false, stop: () => session.close() };
}

async function whoHasIt({ directory }: Cluster, session: ClusterSession): Promise<string> {
  const holder = await session.holder();
  const who = holder?.role === 'command' ? 'a latchkey command' : 'another Latchkey server';
  const next = holder?.role === 'command' ? 'Wait until it has finished' : 'Stop that one first';
  return (
    `The embedded database in ${directory} is in use by ${who}${holder ? ` (process ${holder.pid})` : ''}. ` +
    `${next}, or set EMBEDDED_DATABASE_DIR to another folder for this one.`
  );
}

async function urlOf(cluster: Cluster, { port }: Postmaster): Promise<string> {
  return `postgres://${NAME}:${await readPassword(cluster)}@127.0.0.1:${port}/${NAME}`;
}

/** Paces the looks, tells a person that they go on, and ends them. */
class Waiting {
  private readonly started = performance.now();
  private told = this.started;

  constructor(private readonly wanted: Wanted) {}

  async pause(milliseconds: number): Promise<void> {
    const { cluster, log } = this.wanted;
    const now = performance.now();
    if (now - this.started > GIVE_UP_MS) {
      throw new OperatorError(
        `The PostgreSQL in ${cluster.path} has taken no connections for five minutes. Its log: ${logFile(cluster)}`,
      );
    }
    if (now - this.told > PROGRESS_MS) {
      this.told = now;
      log('Waiting for the PostgreSQL that runs already to take connections');
    }
    await sleep(milliseconds);
  }
}
