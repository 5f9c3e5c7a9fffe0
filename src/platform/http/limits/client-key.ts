import { normalizeIp } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { isIP } from 'node:net';

import type { Caller } from '../current-user.decorator.js';

const IPV6_NETWORK_BITS = 64;

export type LimitedRequest = FastifyRequest & { user?: Caller };

/**
 * Whose requests are counted together: those of a session, or, without a good access token, those of an address. One
 * line has a whole /64 of IPv6; an IPv4 address is the same however it is written.
 */
export function clientKey(request: LimitedRequest): string {
  if (request.user) return `session ${request.user.sessionId}`;
  // A trusted proxy may pass on what is no address; whatever a client may have written is no key.
  const address = isIP(request.ip) ? request.ip : (request.socket.remoteAddress ?? '');
  return `address ${normalizeIp(address, IPV6_NETWORK_BITS)}`;
}
