import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const mine = new Set<string>();

/**
 * A path `<parent>/<prefix>.<pid>-<random>`, to build something at that is renamed into place once it is whole. The
 * caller makes it and removes it; `removeAbandoned` sees to those of processes killed half-way.
 */
export function scratchPath(parent: string, prefix: string): string {
  const path = join(parent, `${prefix}.${process.pid}-${randomBytes(6).toString('hex')}`);
  mine.add(path);
  return path;
}

export async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid =
      name.startsWith(`${prefix}.`) && /^(\d+)-[0-9a-f]{12}$/.exec(name.slice(prefix.length + 1))?.[1];
    const path = join(parent, name);
    if (!pid || mine.has(path)) continue;
    // In a container the process before this one had the same pid.
    if (Number(pid) !== process.pid && processExists(Number(pid))) continue;
    // What it started may still be writing there; the next start removes the rest.
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
