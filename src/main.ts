import { performance } from 'node:perf_hooks';

import { createApp, type LatchkeyApp } from './create-app.js';
import { OperatorError } from './platform/operator-error.js';

try {
  const app = await createApp();
  await app.nest.listen(app.server.port, app.server.host);
  stopOnSignals(app);
  sayWhere(app);
} catch (error) {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exit(1);
}

function sayWhere({ logger, publicUrl, server }: LatchkeyApp): void {
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
    `  Inbox       ${url}/dev/inbox`,
  ];
  console.log(`\n${lines.join('\n')}\n`);
}

function stopOnSignals({ close, logger }: LatchkeyApp): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // Who asks twice does not want to wait.
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ signal }, 'stopping');
    close().then(
      () => process.exit(0),
      (err: unknown) => {
        logger.error({ err }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
