import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerModuleOptions,
  type ThrottlerRequest,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';

import { type Logger, LOGGER } from '../../observability/logger.js';
import { Metrics } from '../../observability/metrics.js';
import { Problem } from '../problem.js';
import { clientKey, type LimitedRequest } from './client-key.js';
import type { LimitsConfig } from './limits.config.js';
import { isNeverUncounted } from './never-uncounted.decorator.js';
import { routeLimitOf } from './route-limit.decorator.js';

const MINUTE_MS = 60_000;
// A storage of a host may hang; a request must not.
const STORAGE_TIMEOUT_MS = 1000;
const ROUTE = 'route';

type Counted = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** The limit of all routes together, and that of a route with one of its own. */
export function throttlers({ perSession, perAddress }: LimitsConfig): ThrottlerModuleOptions {
  return [
    { ttl: MINUTE_MS, limit: (context) => (requestOf(context).user ? perSession : perAddress) },
    {
      name: ROUTE,
      ttl: MINUTE_MS,
      limit: (context) => routeLimitOf(context) ?? 0,
      skipIf: (context) => routeLimitOf(context) === undefined,
    },
  ];
}

/**
 * Counts each request once for its client, whatever route it is for and however it is answered, and says in headers
 * what is left. Asked by the guard of access tokens once it knows whose request it is, and before it refuses any: so a
 * flood of bad tokens counts, and those who are signed in do not share the limit of their address.
 */
@Injectable()
export class ClientLimits extends ThrottlerGuard {
  private readonly refused;
  private isStorageAway = false;

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    @Inject(LOGGER) private readonly log: Logger,
    metrics: Metrics,
  ) {
    super(options, storage, reflector);
    this.refused = metrics.counter({
      name: 'latchkey_rate_limited_total',
      help: 'Requests refused with 429 by the limits on requests, by whom they were counted for and by which limit.',
      labels: ['client', 'limit'],
    });
  }

  /** @throws {Problem} `rate_limited`; `service_unavailable` where the route must be counted and cannot be. */
  protected override async handleRequest(props: ThrottlerRequest): Promise<boolean> {
    const { context, limit, throttler } = props;
    const isOfRoute = throttler.name === ROUTE;
    const client = clientKey(requestOf(context));
    const counted = await this.count(isOfRoute ? `${routeName(context)} ${client}` : client, props);
    if (!counted) return true;
    const { totalHits, isBlocked, timeToExpire, timeToBlockExpire } = counted;
    const reset = Math.max(1, isBlocked ? timeToBlockExpire : timeToExpire);
    tell(context, { limit, remaining: Math.max(0, limit - totalHits), reset });
    if (!isBlocked) return true;
    this.refused.inc({ client: client.split(' ', 1)[0] ?? '', limit: isOfRoute ? 'route' : 'all' });
    throw new Problem('rate_limited', { retry_after: reset });
  }

  /** Nothing where the storage is away, and the route may be answered all the same. */
  private async count(
    key: string,
    { context, ttl, limit, blockDuration, throttler }: ThrottlerRequest,
  ): Promise<Counted | undefined> {
    try {
      const name = throttler.name ?? 'default';
      const counted = await inTime(this.storageService.increment(key, ttl, limit, blockDuration, name));
      if (this.isStorageAway) this.log.info('requests are counted again');
      this.isStorageAway = false;
      return counted;
    } catch (cause) {
      // Said once, and not with each request of a flood.
      if (!this.isStorageAway) this.log.error({ err: cause }, 'requests cannot be counted');
      this.isStorageAway = true;
      if (isNeverUncounted(context)) throw new Problem('service_unavailable', undefined, { cause });
      return undefined;
    }
  }
}

function requestOf(context: ExecutionContext): LimitedRequest {
  return context.switchToHttp().getRequest<LimitedRequest>();
}

function routeName(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}

/** Of two limits, the headers tell of the one that is nearer. */
function tell(
  context: ExecutionContext,
  { limit, remaining, reset }: { limit: number; remaining: number; reset: number },
): void {
  const reply = context.switchToHttp().getResponse<FastifyReply>();
  const told = reply.getHeader('RateLimit-Remaining');
  if (told !== undefined && Number(told) < remaining) return;
  void reply.headers({
    'RateLimit-Limit': String(limit),
    'RateLimit-Remaining': String(remaining),
    'RateLimit-Reset': String(reset),
  });
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the storage of rate limits hangs')), STORAGE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
