import type { FastifyRequest } from 'fastify';

import { addressBlock } from '../address-block.js';
import { clientAddress } from '../client-info.decorator.js';
import type { Caller } from '../current-user.decorator.js';

export type LimitedRequest = FastifyRequest & { user?: Caller };

/**
 * Whose requests are counted together: those of a session, or, without a good access token, those of an address. One
 * line has a whole /64 of IPv6; an IPv4 address is the same however it is written.
 */
export function clientKey(request: LimitedRequest): string {
  if (request.user) return `session ${request.user.sessionId}`;
  return `address ${addressBlock(clientAddress(request), { ipv4: 32, ipv6: 64 })}`;
}
