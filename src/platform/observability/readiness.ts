import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

/** Whether this process wants traffic; turns false before it stops, so that a proxy looks elsewhere. */
@Injectable()
export class Readiness {
  private stopping = false;
  private readonly failing = new Set<string>();

  get isStopping(): boolean {
    return this.stopping;
  }

  /** Whether something that others provide does not work. No other replica would do better, so it wants traffic. */
  get isDegraded(): boolean {
    return this.failing.size > 0;
  }

  /** @param part what does not work, e.g. `sms`. */
  degrade(part: string): void {
    this.failing.add(part);
  }

  restore(part: string): void {
    this.failing.delete(part);
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
