import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs `latchkey` on a database. @returns what it said; an error of it has `stderr`. */
export async function latchkey(database: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['bin/latchkey.js', ...args], {
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database },
  });
  return stdout;
}
