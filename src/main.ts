import { performance } from 'node:perf_hooks';

import { createApp, type LatchkeyApp } from './create-app.js';
import { OperatorError } from './platform/operator-error.js';

const stopSignal = firstSignal('SIGINT', 'SIGTERM');
try {
  const app = await createApp();
  await listen(app);
  sayWhere(app);
  // One that came while starting is answered now: half a start is hard to undo.
  app.logger.info({ signal: await stopSignal }, 'stopping');
  await app.close();
  process.exit(0);
} catch (error) {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exit(1);
}

async function listen({ nest, server, close }: LatchkeyApp): Promise<void> {
  const { port, host } = server;
  try {
    await nest.listen(port, host);
  } catch (error) {
    // The embedded database would go on without us.
    await close();
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    throw new OperatorError(
      `Cannot listen on ${host}:${port} (${code}): set PORT or HOST to another, or 0 for any port.`,
    );
  }
}

function sayWhere({ logger, publicUrl, server, hasInbox }: LatchkeyApp): void {
  const seconds = (performance.now() / 1000).toFixed(1);
  const url = publicUrl.get();
  if (server.production) {
    logger.info({ url, seconds }, 'serving');
    return;
  }
  const lines = [
    `Latchkey serves after ${seconds} s`,
    `  API         ${url}/api`,
    ...(server.docs ? [`  Swagger UI  ${url}/docs`] : []),
    ...(hasInbox ? [`  Inbox       ${url}/dev/inbox`] : []),
  ];
  console.log(`\n${lines.join('\n')}\n`);
}

function firstSignal(...signals: NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of signals) {
      process.on(signal, () => {
        // Who asks twice does not want to wait.
        if (isStopping) process.exit(1);
        isStopping = true;
        resolve(signal);
      });
    }
  });
}
