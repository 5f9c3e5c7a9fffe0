import type { FastifyInstance } from 'fastify';

import type { Logger } from '../../observability/logger.js';

/** Tells an operator, once, of what looks like a proxy that `TRUST_PROXY` does not name. */
export function warnOfUnbelievedProxy(fastify: FastifyInstance, log: Logger): void {
  let isTold = false;
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!isTold && request.headers['x-forwarded-for'] !== undefined) {
      isTold = true;
      log.warn(
        'Requests come with X-Forwarded-For, and TRUST_PROXY is not set: if a proxy sends it, all clients count as ' +
          'one address, and soon refuse each other. Set TRUST_PROXY to the number of proxies before this server.',
      );
    }
    done();
  });
}
