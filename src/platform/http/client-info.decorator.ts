import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isIP } from 'node:net';

/** Where a request comes from. */
export interface ClientInfo {
  /** The address, behind the proxies of `TRUST_PROXY` if there are any. */
  ip: string;
  /** At most 512 characters. */
  userAgent: string | null;
  /** The header `X-Request-Id`. */
  requestId: string;
}

export const Client = createParamDecorator((_: unknown, context: ExecutionContext): ClientInfo => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const userAgent = request.headers['user-agent']?.slice(0, 512) ?? null;
  return { ip: clientAddress(request), userAgent, requestId: request.id };
});

/** Behind trusted proxies what they say, unless that is no address: whatever a client may have written is none. */
export function clientAddress(request: FastifyRequest): string {
  return isIP(request.ip) ? request.ip : (request.socket.remoteAddress ?? '');
}
