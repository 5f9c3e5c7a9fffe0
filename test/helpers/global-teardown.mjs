import { rm } from 'node:fs/promises';

import { dropDatabase } from './databases.mjs';

export default async function globalTeardown() {
  await dropDatabase(process.env.LATCHKEY_TEST_SERVER, process.env.LATCHKEY_TEST_TEMPLATE);
  const started = globalThis.latchkeyTestServer;
  if (!started) return;
  await started.server.stop();
  await rm(started.directory, { recursive: true, force: true });
}
