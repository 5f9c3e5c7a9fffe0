import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { atOnce, harness, TestApp } from './helpers/app.js';
import { mebibytesOf } from './helpers/children.js';
import { upload } from './helpers/pictures.js';
import { serve, type ServerProcess } from './helpers/server-process.js';

const MEBIBYTE = 1024 * 1024;

let directory: string;
let server: ServerProcess | undefined;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'latchkey-memory-'))));
afterEach(async () => {
  if (server?.child.exitCode === null) {
    server.child.kill('SIGKILL');
    await once(server.child, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
});

describe('a server that thirty phones upload 10 MiB to at once', () => {
  it('takes less than 400 MiB of memory, and serves others meanwhile', async () => {
    const database = await harness.database();
    server = await serve({
      directory,
      environment: {
        DATABASE_URL: database,
        STORAGE_DIR: join(directory, 'pictures'),
        APP_SECRET: 'a-secret-for-tests-and-for-nothing-else',
      },
    });
    const { child, url } = server;
    const app = TestApp.at(url, database);
    const draw = await harness.draw();
    const picture = await draw.picture('jpeg', { width: 1600, height: 1200 });
    // Decoded whole: 150 MiB each.
    const heavy = await draw.flat('png', { progressive: true });
    const [light, dense] = [picture, heavy].map((file) => draw.padded(file, 10 * MEBIBYTE));
    // One user has six uploads under way at most.
    const users = await atOnce(5, () => app.signIn());
    const uploads = atOnce(30, (index) => upload(app, users[index % 5]!, [index < 2 ? dense! : light!]));
    await app.signIn();
    for (const { status } of await uploads) expect([201, 503]).toContain(status);
    expect(await mebibytesOf(child.pid!, 'VmHWM')).toBeLessThan(400);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
