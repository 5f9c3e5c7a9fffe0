import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import type { Caller } from '../platform/http/current-user.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { IS_PUBLIC, TOKEN_OPTIONAL } from '../platform/http/public.decorator.js';
import { REQUIRED_ROLE } from '../platform/http/require-role.decorator.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { AccessTokenStrategy, forged } from './access-token.strategy.js';

/** Asks for an access token on every route that is not `@Public()`, and for the role of `@RequireRole()`. */
@Injectable()
export class AccessTokenGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly strategy: AccessTokenStrategy,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const access = this.reflector.getAllAndOverride<true | typeof TOKEN_OPTIONAL | undefined>(
      IS_PUBLIC,
      targets,
    );
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Caller }>();
    const needsNone = access === TOKEN_OPTIONAL && request.headers.authorization === undefined;
    if (access === true || needsNone) return true;
    request.user = await this.authenticate(request).catch((error: unknown) => this.refuse(request, error));
    const role = this.reflector.getAllAndOverride<string | undefined>(REQUIRED_ROLE, targets);
    if (role !== undefined && !request.user.roles.includes(role)) throw new Problem('forbidden');
    return true;
  }

  /**
   * Runs the strategy itself, past `AuthGuard`: that finds strategies in a registry of the whole process, where a
   * second app would take the place of the first.
   */
  private authenticate(request: FastifyRequest): Promise<Caller> {
    return new Promise((resolve, reject) => {
      // A strategy calls back on itself: each request needs one of its own, or it would answer for another.
      const attempt = Object.assign(Object.create(this.strategy) as AccessTokenStrategy, {
        success: (caller: Caller) => resolve(caller),
        fail: (reason?: unknown) => reject(refusalOf(reason)),
        error: (error: Error) => reject(error),
      });
      attempt.authenticate(request as never, {});
    });
  }

  private refuse(request: FastifyRequest, error: unknown): never {
    if (error instanceof Problem && error.cause !== undefined) {
      const { id: request_id, ip } = request;
      this.log.warn({ request_id, ip, reason: error.cause }, 'a forged access token was refused');
    }
    throw error;
  }
}

/** A request without a token is no forgery; one whose signature, algorithm or claims are wrong is. */
function refusalOf(reason: unknown): Problem {
  if (reason instanceof Problem) return reason as Problem;
  const isForged = reason instanceof Error && reason.name === 'JsonWebTokenError';
  return isForged ? forged(reason.message) : new Problem('access_token_invalid');
}
