import type { FastifyInstance } from 'fastify';

import type { Metrics } from './metrics.js';

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Measures each request by its route's pattern; what is of no route is one together. */
export function measureRequests(fastify: FastifyInstance, metrics: Metrics): void {
  const durations = metrics.histogram({
    name: 'latchkey_http_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer.',
    labels: ['method', 'route', 'status'],
    buckets: BUCKETS,
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: String(reply.statusCode),
    };
    durations.observe(labels, reply.elapsedTime / 1000);
    done();
  });
}
