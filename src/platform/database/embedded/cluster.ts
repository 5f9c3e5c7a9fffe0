import { randomBytes } from 'node:crypto';
import { chmod, chown, link, lstat, mkdir, open, readFile, readlink, realpath } from 'node:fs/promises';
import { rename, rm, rmdir, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { OperatorError } from '../../operator-error.js';
import type { PostgresBinaries } from './binaries.js';
import { canEnter, isRoot, type OsUser, postgresUser, run } from './user.js';
import { removeAbandoned, scratchPath } from './scratch-path.js';

/** The role and the database that the application uses. */
export const NAME = 'latchkey';

/** Where a cluster lies, and whom it belongs to. */
export interface Cluster {
  /** The folder that the caller named. */
  directory: string;
  /** PostgreSQL's data directory: `<directory>/postgres`, or what that links to. */
  path: string;
  /** Absent: the user of this process. */
  user: OsUser | undefined;
}

const RELOCATED = '/var/lib/latchkey';
const UNFINISHED = 'postgres-unfinished';
const PASSWORD = 'postgres-password';

/** Finds the place of the cluster in `directory`, which is made if need be; the cluster itself may not exist yet. */
export async function locateCluster(directory: string, log: (message: string) => void): Promise<Cluster> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const root = await realpath(resolve(directory));
  const place = join(root, 'postgres');
  if (!isRoot()) return { directory: root, path: await target(place), user: undefined };

  const holdsData = await stat(join(place, 'PG_VERSION')).catch(() => undefined);
  const existing = holdsData && (await stat(place));
  // A cluster that belongs to somebody goes on belonging to them, whatever the number of `postgres` is here.
  const user = existing?.uid ? { uid: existing.uid, gid: existing.gid } : await postgresUser(log);
  if (!existing && !(await isLink(place)) && !(await canEnter(user, root)) && !(await letIn(user, root))) {
    await relocate(place);
  }
  const path = await target(place);
  if (dirname(path) !== root) log(`The database of ${root} lies in ${path}`);
  if (existing) {
    // Copied or restored by root.
    if (existing.uid === 0) await run('chown', ['-R', `${user.uid}:${user.gid}`, path]);
    if (!(await canEnter(user, path))) {
      throw new OperatorError(
        `The user of the database (uid ${user.uid}) cannot reach its folder ${path}. ` +
          'Give the folders above it the right to be passed (chmod o+x), or set EMBEDDED_DATABASE_DIR to another folder.',
      );
    }
  }
  return { directory: root, path, user };
}

/** Opens a folder that nobody but root may enter to the server's group, to pass and no more; as mkdtemp makes them. */
async function letIn(user: OsUser, folder: string): Promise<boolean> {
  const { uid, mode } = await stat(folder);
  // Only where no one else has rights that this would change, and where the folders above let the server pass.
  if (uid !== 0 || (mode & 0o077) !== 0 || !(await canEnter(user, dirname(folder)))) return false;
  await chown(folder, 0, user.gid);
  await chmod(folder, (mode & 0o7777) | 0o010);
  return canEnter(user, folder);
}

async function isLink(place: string): Promise<boolean> {
  return (await lstat(place).catch(() => undefined))?.isSymbolicLink() ?? false;
}

/** Where a link leads, whether or not something is there. */
async function target(place: string): Promise<string> {
  if (!(await isLink(place))) return place;
  const path = resolve(dirname(place), await readlink(place));
  await mkdir(dirname(path), { recursive: true });
  return join(await realpath(dirname(path)), basename(path));
}

/** Puts the cluster where `postgres` can reach it, and leaves a link in `place`. */
async function relocate(place: string): Promise<void> {
  // A random name and not one made of the path: whoever deletes the folder to start afresh gets a fresh cluster.
  const home = join(RELOCATED, randomBytes(8).toString('hex'));
  await mkdir(home, { recursive: true, mode: 0o755 });
  // The umask may have kept others out.
  await chmod(RELOCATED, 0o755);
  await chmod(home, 0o755);
  await writeFile(join(home, 'README'), `The PostgreSQL data of ${place}, which links here.\n`);
  try {
    // An empty folder may stand in the way; what is in a full one is not ours to move.
    await rmdir(place).catch(() => undefined);
    await symlink(join(home, 'postgres'), place);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    // Another process was quicker: its place is as good.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

export async function clusterExists(
  { path, directory }: Cluster,
  binaries: PostgresBinaries,
): Promise<boolean> {
  let version: string;
  try {
    version = (await readFile(join(path, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    if (code === 'EACCES') throw new OperatorError(foreignFolder(path), { cause: error });
    throw error;
  }
  if (version === binaries.majorVersion) return true;
  throw new OperatorError(
    `The database in ${directory} was made by PostgreSQL ${version}; this version of Latchkey brings ` +
      `${binaries.majorVersion}. Move its contents (pg_dump and pg_restore) or set EMBEDDED_DATABASE_DIR to a new folder.`,
  );
}

export function foreignFolder(path: string): string {
  return (
    `The database in ${path} belongs to another user of this machine. ` +
    'Start Latchkey as that user, or as root, or set EMBEDDED_DATABASE_DIR to another folder.'
  );
}

/**
 * Makes the cluster. It is built beside its place and renamed into it once it is whole and on the disk: neither a
 * crash half-way nor a second process that does the same leaves a broken one.
 */
export async function createCluster(
  cluster: Cluster,
  binaries: PostgresBinaries,
  durable: boolean,
  log: (message: string) => void,
): Promise<void> {
  log(`Creating the database in ${cluster.path} (first start only)`);
  const password = await makePassword(cluster);
  const parent = dirname(cluster.path);
  const scratch = scratchPath(parent, UNFINISHED);
  const data = join(scratch, 'data');
  try {
    await mkdir(scratch, { mode: 0o700 });
    // A file of its own, as initdb runs as a user who cannot read ours, and a command line is public.
    const handed = join(scratch, 'password');
    await writeFile(handed, `${password}\n`, { mode: 0o600 });
    if (cluster.user) {
      await chown(handed, cluster.user.uid, cluster.user.gid);
      await chown(scratch, cluster.user.uid, cluster.user.gid);
    }
    await run(
      binaries.initdb,
      [
        ...['-D', data, `--username=${NAME}`, `--pwfile=${handed}`, '--auth=scram-sha-256'],
        // The same order of texts on every machine, whatever its C library.
        ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
        ...['--no-instructions', ...(durable ? [] : ['--no-sync'])],
      ],
      cluster.user,
      scratch,
    );
    await rename(data, cluster.path).catch(async (error: unknown) => {
      // Another process was quicker: its cluster has the same password.
      if (!(await clusterExists(cluster, binaries))) throw error;
    });
    if (durable) await syncFolder(parent);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Removes what starts that were killed half-way have left. */
export async function tidyUp({ directory, path }: Cluster): Promise<void> {
  await removeAbandoned(dirname(path), UNFINISHED);
  await removeAbandoned(directory, PASSWORD);
}

function passwordFile({ directory }: Cluster): string {
  return join(directory, PASSWORD);
}

/** @throws where it is missing; the message says what to do. */
export async function readPassword(cluster: Cluster): Promise<string> {
  try {
    return (await readFile(passwordFile(cluster), 'utf8')).trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EACCES') throw new OperatorError(foreignFolder(cluster.path), { cause });
    throw new OperatorError(
      `The password of the database in ${cluster.path} cannot be read from ${passwordFile(cluster)}. ` +
        'Put that file back, or move both away to start with an empty database.',
      { cause },
    );
  }
}

/** Of processes that do this at once, each returns the one password that is kept. */
async function makePassword(cluster: Cluster): Promise<string> {
  const place = passwordFile(cluster);
  const draft = scratchPath(cluster.directory, PASSWORD);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(32).toString('base64url')}\n`);
    // A cluster outlives a loss of power, so its password must.
    await file.sync();
    // A link and not a rename: it fails where the file exists, and never shows half a password.
    await link(draft, place);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  return readPassword(cluster);
}

async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
