import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { Caller } from '../http/current-user.decorator.js';
import type { Logger } from './logger.js';

/** One line a request: the route's pattern instead of the URL, which may hold ids and numbers. */
export function logRequests(fastify: FastifyInstance, log: Logger): void {
  fastify.addHook('onResponse', (request: FastifyRequest & { user?: Caller }, reply, done) => {
    log.info(
      {
        request_id: request.id,
        method: request.method,
        route: request.routeOptions.url ?? null,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ip: request.ip,
        ...(request.user && { user_id: request.user.userId, session_id: request.user.sessionId }),
      },
      'request',
    );
    done();
  });
}
