import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { OperatorError } from '../../operator-error.js';

/** Whom PostgreSQL runs as. */
export interface OsUser {
  uid: number;
  gid: number;
}

const execute = promisify(execFile);

// Not the server's own environment: it holds secrets, and a PG* variable would change what the binaries do.
// Windows gives a program without its usual variables no temporary folder and no shell.
export const CHILD_ENVIRONMENT =
  process.platform === 'win32'
    ? undefined
    : { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Runs a program to its end. @returns what it printed. @throws with what it complained of. */
export async function run(
  file: string,
  args: readonly string[],
  user?: OsUser,
  cwd?: string,
): Promise<string> {
  const { stdout } = await execute(file, args, {
    ...user,
    ...(cwd === undefined ? {} : { cwd }),
    env: CHILD_ENVIRONMENT,
    windowsHide: true,
  });
  return stdout.trim();
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** True where `user` can reach the folder; asked of the system itself, which knows of access lists. */
export async function canEnter(user: OsUser, folder: string): Promise<boolean> {
  return run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], user, '/').then(
    () => true,
    () => false,
  );
}

/** The system user `postgres`, made where there is none: PostgreSQL refuses to run as root. */
export async function postgresUser(log: (message: string) => void): Promise<OsUser> {
  const known = await lookUp();
  if (known) return known;
  log('PostgreSQL refuses to run as root: making the system user "postgres" for it');
  const complaints: unknown[] = [];
  for (const commands of WAYS_TO_MAKE_A_USER) {
    for (const [file, ...args] of commands) {
      await run(file, args).catch((error: unknown) => complaints.push(error));
    }
    const made = await lookUp();
    if (made) return made;
  }
  // Refused because another process makes the same user at this moment: it holds the lock of /etc/passwd.
  await sleep(1000);
  const late = await lookUp();
  if (late) return late;
  throw new OperatorError(
    'PostgreSQL refuses to run as root, and the system user "postgres" could not be made for it. ' +
      'Start Latchkey as an ordinary user, or make that user, or set DATABASE_URL to a PostgreSQL of your own.',
    { cause: new AggregateError(complaints) },
  );
}

type Command = readonly [file: string, ...args: string[]];

// Most distributions first, then Alpine's BusyBox.
const WAYS_TO_MAKE_A_USER: readonly (readonly Command[])[] = [
  [
    [
      'useradd',
      ...'--system --user-group --no-create-home -d /nonexistent -s /usr/sbin/nologin postgres'.split(' '),
    ],
  ],
  [
    ['addgroup', '-S', 'postgres'],
    ['adduser', ...'-S -D -H -h /nonexistent -s /sbin/nologin -G postgres postgres'.split(' ')],
  ],
];

async function lookUp(): Promise<OsUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    // A `postgres` that is another name of root is of no help.
    return Number(uid) > 0 ? { uid: Number(uid), gid: Number(gid) } : undefined;
  } catch {
    return undefined;
  }
}
