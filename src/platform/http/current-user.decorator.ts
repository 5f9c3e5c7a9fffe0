import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Who calls, as their access token says. */
export interface Caller {
  userId: string;
  sessionId: string;
  /** Roles in force for this session. */
  roles: readonly string[];
  /** When the user last proved the phone number; refreshing does not move it. */
  authenticatedAt: Date;
}

/** The {@link Caller} of the request, if there is one. For routes that are `@TokenOptional()`. */
export const OptionalUser = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller | undefined =>
    context.switchToHttp().getRequest<FastifyRequest & { user?: Caller }>().user,
);

/** The {@link Caller} of the request. Only on routes that ask for an access token. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { user } = context.switchToHttp().getRequest<FastifyRequest & { user?: Caller }>();
  if (!user) throw new Error('@CurrentUser() stands on a route that is @Public()');
  return user;
});
