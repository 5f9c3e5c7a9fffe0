import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

/** Whether this process wants traffic; turns false before it stops, so that a proxy looks elsewhere. */
@Injectable()
export class Readiness {
  private stopping = false;

  get isStopping(): boolean {
    return this.stopping;
  }

  stop(): void {
    this.stopping = true;
  }
}

/** A kept-alive connection would hold up the end of the process, and its client would meet a closed door on it. */
export function closeConnectionsOnStop(fastify: FastifyInstance, readiness: Readiness): void {
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (readiness.isStopping) void reply.header('Connection', 'close');
    done();
  });
}
