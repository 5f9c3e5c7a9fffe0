import type { ExecutionContext } from '@nestjs/common';
import { SetMetadata } from '@nestjs/common';

const ROUTE_LIMIT = 'latchkey:route-limit';

/**
 * Gives a method a limit of its own, beside that of all routes together, for what costs far more than others: so many
 * requests of a client in a minute, on each replica. One more is answered 429 `rate_limited`.
 */
export const RouteLimit = (perMinute: number): MethodDecorator => SetMetadata(ROUTE_LIMIT, perMinute);

/** Nothing where the route has none. */
export function routeLimitOf(context: ExecutionContext): number | undefined {
  return Reflect.getMetadata(ROUTE_LIMIT, context.getHandler()) as number | undefined;
}
