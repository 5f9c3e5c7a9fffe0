import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { OperatorError } from '../../operator-error.js';
import type { PostgresBinaries } from './binaries.js';
import { type Cluster, foreignFolder } from './cluster.js';
import { CHILD_ENVIRONMENT, run } from './user.js';

/** A running PostgreSQL server of a cluster. */
export interface Postmaster {
  pid: number;
  port: number;
  /** It takes connections; otherwise it is starting, recovering or stopping. */
  ready: boolean;
}

const POLL_MS = 10;
const PROGRESS_MS = 3000;
const READY_WITHIN_MS = 300_000;
const LAUNCHES = 4;
const FAST_STOP_MS = 10_000;
const MAX_LOG_BYTES = 5_000_000;

/** The server that runs on the cluster now. A `postmaster.pid` that a crash has left is nobody, and is removed. */
export async function findPostmaster(cluster: Cluster): Promise<Postmaster | undefined> {
  const file = join(cluster.path, 'postmaster.pid');
  const text = await readPidFile(file, cluster);
  if (text === undefined) return undefined;
  const [pid, , , port, , , , status] = text.split('\n').map((line) => line.trim());
  const postmaster = { pid: Number(pid), port: Number(port), ready: status === 'ready' };
  // Half-written, or the lock of a standalone backend: PostgreSQL knows better what to do about it.
  if (!(postmaster.pid > 0 && postmaster.port > 0)) return undefined;
  if (!processRuns(postmaster.pid)) return undefined;
  if (await isPostmasterOf(cluster, postmaster.pid)) return postmaster;
  // PostgreSQL would refuse to start for as long as the pid, given to a stranger since, lives.
  if ((await readPidFile(file, cluster)) === text) await rm(file, { force: true });
  return undefined;
}

async function readPidFile(file: string, cluster: Cluster): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES') throw new OperatorError(foreignFolder(cluster.path), { cause: error });
    throw error;
  }
}

function processRuns(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // EPERM as well: the process of another user is not ours.
    return false;
  }
}

async function isPostmasterOf(cluster: Cluster, pid: number): Promise<boolean> {
  // PostgreSQL for Windows asks processes through pipes of its own, so it is never misled by a stranger's pid.
  if (process.platform === 'win32') return true;
  if (process.platform !== 'linux') {
    return isPostgres(await run('ps', ['-o', 'comm=', '-p', String(pid)]).catch(() => ''));
  }
  // A dead process that nobody has reaped has no command and no working directory.
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (!isPostgres(command.split('\0')[0]!)) return false;
  // A server works in its cluster, also after that was moved; one named in a copied `postmaster.pid` in the original.
  const { dev, ino } = await stat(cluster.path);
  return (await workingDirectory(pid, cluster)) === `${dev}:${ino}`;
}

function isPostgres(program: string): boolean {
  return basename(program).startsWith('postgres');
}

async function workingDirectory(pid: number, { user }: Cluster): Promise<string | undefined> {
  const link = `/proc/${pid}/cwd`;
  try {
    const { dev, ino } = await stat(link);
    return `${dev}:${ino}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return undefined;
    // In a container root may look only into its own processes; the server's user may look into this one.
    return run('stat', ['-L', '-c', '%d:%i', link], user).catch(() => undefined);
  }
}

/**
 * Starts PostgreSQL in a session of its own, so that a Ctrl-C does not reach it before the server has drained.
 *
 * @returns once it is ready; nothing where another process has started one on the same cluster first.
 * @throws where it does not start, with the end of its log.
 */
export async function launchPostmaster(
  cluster: Cluster,
  binaries: PostgresBinaries,
  durable: boolean,
  log: (message: string) => void,
): Promise<ChildProcess | undefined> {
  for (let launch = 1; ; launch += 1) {
    const output = await openLog(cluster);
    try {
      const { size } = await output.stat();
      const child = await spawnPostmaster(cluster, binaries, durable, output);
      if (await becomesReady(cluster, child, log)) return child;
      if (await findPostmaster(cluster)) return undefined;
      // Its port was taken since it was chosen, or a backend of a killed server is just going: both pass.
      if (launch < LAUNCHES) await sleep(100 * 2 ** launch);
      else
        throw new OperatorError(`PostgreSQL does not start in ${cluster.path}:\n${await tail(output, size)}`);
    } finally {
      await output.close();
    }
  }
}

async function spawnPostmaster(
  cluster: Cluster,
  binaries: PostgresBinaries,
  durable: boolean,
  output: FileHandle,
): Promise<ChildProcess> {
  const safety = durable ? 'on' : 'off';
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    shared_buffers: '64MB',
    // Tests run many apps at once, each with a pool and a few connections beside it.
    max_connections: durable ? '100' : '400',
    fsync: safety,
    full_page_writes: safety,
    synchronous_commit: safety,
    // Errors go to the client, who reports them; their texts can hold phone numbers, which no log may.
    log_min_messages: 'log',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(binaries.postgres, ['-D', cluster.path, '-p', String(await freePort()), ...options], {
    ...cluster.user,
    cwd: cluster.path,
    env: CHILD_ENVIRONMENT,
    detached: true,
    windowsHide: true,
    // A file and not a pipe: the server may outlive this process.
    stdio: ['ignore', output.fd, output.fd],
  });
  child.unref();
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  return child;
}

/** @returns false where the process has ended instead. */
async function becomesReady(
  cluster: Cluster,
  child: ChildProcess,
  log: (message: string) => void,
): Promise<boolean> {
  const started = performance.now();
  let told = started;
  while (!hasEnded(child)) {
    const postmaster = await findPostmaster(cluster);
    if (postmaster?.pid === child.pid && postmaster?.ready) return true;
    const now = performance.now();
    if (now - told > PROGRESS_MS) {
      told = now;
      log(
        `PostgreSQL is still starting (recovering after a crash takes a while); its log: ${logFile(cluster)}`,
      );
    }
    if (now - started > READY_WITHIN_MS) {
      child.kill('SIGQUIT');
      throw new OperatorError(
        `PostgreSQL did not get ready within five minutes. Its log: ${logFile(cluster)}`,
      );
    }
    await sleep(POLL_MS);
  }
  return false;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Ends every connection, writes everything down, and waits for the process to be gone. */
export async function stopPostmaster(
  cluster: Cluster,
  { pid }: Postmaster,
  child: ChildProcess | undefined,
  binaries: PostgresBinaries,
  log: (message: string) => void,
): Promise<void> {
  const runs = async () =>
    child ? !hasEnded(child) : processRuns(pid) && (await isPostmasterOf(cluster, pid));
  const started = performance.now();
  if (await isPostmasterOf(cluster, pid)) await signal('fast');
  let immediately = false;
  while (await runs()) {
    if (!immediately && performance.now() - started > FAST_STOP_MS) {
      immediately = true;
      log('PostgreSQL takes too long to stop: ending it at once (it recovers on its next start)');
      await signal('immediate');
    }
    await sleep(POLL_MS);
  }

  async function signal(mode: 'fast' | 'immediate'): Promise<void> {
    // On Windows a signal would be the end without warning.
    if (process.platform === 'win32')
      await run(binaries.pgCtl, ['stop', '-W', '-D', cluster.path, '-m', mode]);
    else if (processRuns(pid)) process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }
}

export function logFile({ directory }: Cluster): string {
  return join(directory, 'postgres.log');
}

async function openLog(cluster: Cluster): Promise<FileHandle> {
  // On Windows O_NOFOLLOW is not there, and counts as 0.
  const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  const file = await open(logFile(cluster), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  if (cluster.user) await file.chown(cluster.user.uid, cluster.user.gid);
  if ((await file.stat()).size > MAX_LOG_BYTES) await file.truncate();
  return file;
}

async function tail(file: FileHandle, from: number): Promise<string> {
  const { size } = await file.stat();
  const start = Math.max(from, size - 2000);
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(2000), position: start });
  return buffer.toString('utf8', 0, bytesRead).trim();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
