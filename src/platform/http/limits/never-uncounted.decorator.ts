import { type ExecutionContext, SetMetadata } from '@nestjs/common';

const NEVER_UNCOUNTED = 'latchkey:never-uncounted';

/**
 * Refuses a route with 503 `service_unavailable` while requests cannot be counted, where others go on without: it can
 * be guessed at, or costs money.
 */
export const NeverUncounted = (): MethodDecorator => SetMetadata(NEVER_UNCOUNTED, true);

export function isNeverUncounted(context: ExecutionContext): boolean {
  return Reflect.getMetadata(NEVER_UNCOUNTED, context.getHandler()) === true;
}
