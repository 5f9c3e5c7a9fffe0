import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** That of the apps that the harness starts. */
const TEST_SECRET = 'a-secret-for-tests-and-for-nothing-else';

const run = promisify(execFile);

/** Runs `latchkey` on a database. @returns what it said; an error of it has `stderr`. */
export async function latchkey(database: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['bin/latchkey.js', ...args], {
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database, APP_SECRET: TEST_SECRET },
  });
  return stdout;
}
