import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';

import { Problem } from '../platform/http/problem.js';
import { IS_PUBLIC } from '../platform/http/public.decorator.js';
import { AccessTokenStrategy } from './access-token.strategy.js';

/** Asks for an access token on every route that is not `@Public()`. */
@Injectable()
export class AccessTokenGuard extends AuthGuard() {
  constructor(
    private readonly reflector: Reflector,
    strategy: AccessTokenStrategy,
  ) {
    // passport takes a strategy itself as well as the name of a registered one; the types know names only.
    super({ defaultStrategy: strategy as unknown as string });
  }

  override canActivate(context: ExecutionContext) {
    const isPublic = this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    return isPublic === true || super.canActivate(context);
  }

  // Whatever fails is an invalid token, but for what the strategy or the database says of its own.
  override handleRequest<User>(error: unknown, user: User | false): User {
    if (error instanceof Problem) throw error;
    if (error) throw error as Error;
    if (!user) throw new Problem('access_token_invalid');
    return user;
  }
}
