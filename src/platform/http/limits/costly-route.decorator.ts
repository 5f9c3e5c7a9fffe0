import { type ExecutionContext, SetMetadata } from '@nestjs/common';

const COST = 'latchkey:cost';

/**
 * Gives a method a limit of its own, beside that of all routes together, for what costs as much as so many other
 * requests: a client may call it that many times less often than the limit of its session (or address) says, on each
 * replica. By default `@CostlyRoute(60)` is 10 times a minute for a session. One more is answered 429 `rate_limited`.
 */
export const CostlyRoute = (cost: number): MethodDecorator => SetMetadata(COST, cost);

/** Nothing where the route is as cheap as any. */
export function costOf(context: ExecutionContext): number | undefined {
  return Reflect.getMetadata(COST, context.getHandler()) as number | undefined;
}
