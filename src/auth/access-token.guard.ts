import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import type { Caller } from '../platform/http/current-user.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { IS_PUBLIC, TOKEN_OPTIONAL } from '../platform/http/public.decorator.js';
import { AccessTokenStrategy } from './access-token.strategy.js';

/** Asks for an access token on every route that is not `@Public()`. */
@Injectable()
export class AccessTokenGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly strategy: AccessTokenStrategy,
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
    request.user = await this.authenticate(request);
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
        fail: () => reject(new Problem('access_token_invalid')),
        error: (error: Error) => reject(error),
      });
      attempt.authenticate(request as never, {});
    });
  }
}
