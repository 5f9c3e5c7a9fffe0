import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import type { Caller } from '../platform/http/current-user.decorator.js';
import { ClientLimits } from '../platform/http/limits/client-limits.js';
import { Problem } from '../platform/http/problem.js';
import { IS_PUBLIC, TOKEN_OPTIONAL } from '../platform/http/public.decorator.js';
import { REQUIRED_ROLE } from '../platform/http/require-role.decorator.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { AccessTokenStrategy, forged } from './access-token.strategy.js';

/**
 * Asks for an access token on every route that is not `@Public()`, and for the role of `@RequireRole()`. Every request
 * is counted in between, when it is known whose it is.
 */
@Injectable()
export class AccessTokenGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly strategy: AccessTokenStrategy,
    private readonly limits: ClientLimits,
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
    if (access === true || needsNone) return this.limits.canActivate(context);
    const refusal = await this.identify(request);
    // A bad token counts as well, and before it is refused or logged: each costs the check of a signature.
    await this.limits.canActivate(context);
    if (!request.user) throw this.logged(refusal, request);
    const role = this.reflector.getAllAndOverride<string | undefined>(REQUIRED_ROLE, targets);
    if (role !== undefined && !request.user.roles.includes(role)) throw new Problem('forbidden');
    return true;
  }

  /** Says in `user` who calls. @returns why nobody does. */
  private async identify(request: FastifyRequest & { user?: Caller }): Promise<unknown> {
    try {
      request.user = await this.authenticate(request);
      return undefined;
    } catch (error) {
      return error;
    }
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

  private logged(refusal: unknown, { id: request_id, ip }: FastifyRequest): unknown {
    if (refusal instanceof Problem && refusal.cause !== undefined) {
      this.log.warn({ request_id, ip, reason: refusal.cause }, 'a forged access token was refused');
    }
    return refusal;
  }
}

/** A request without a token is no forgery; one whose signature, algorithm or claims are wrong is. */
function refusalOf(reason: unknown): Problem {
  if (reason instanceof Problem) return reason as Problem;
  const isForged = reason instanceof Error && reason.name === 'JsonWebTokenError';
  return isForged ? forged(reason.message) : new Problem('access_token_invalid');
}
