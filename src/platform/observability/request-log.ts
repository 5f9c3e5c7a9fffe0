import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { Caller } from '../http/current-user.decorator.js';
import type { Logger } from './logger.js';

/** One line a request: the route's pattern instead of the URL, which may hold ids and numbers. */
export function logRequests(fastify: FastifyInstance, log: Logger): void {
  fastify.addHook('onResponse', (request: FastifyRequest & { user?: Caller }, reply, done) => {
    const route = request.routeOptions.url ?? null;
    const level = isRoutine(route) && reply.statusCode < 400 ? 'debug' : 'info';
    log[level](
      {
        request_id: request.id,
        method: request.method,
        route,
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

// Probes, scrapes and an open inbox come every few seconds, and say nothing while all is well.
function isRoutine(route: string | null): boolean {
  return route !== null && /^\/((health|dev)\/|metrics$)/.test(route);
}
