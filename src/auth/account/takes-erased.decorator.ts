import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyRequest } from 'fastify';

/**
 * Lets a route be called with the token of an account that is erased: a phone that lost the answer to its deletion
 * repeats it, and has no other token to do so.
 */
export const TakesErased = (): MethodDecorator => RouteConfig({ takesErased: true });

export function takesErased(request: FastifyRequest): boolean {
  const config = request.routeOptions.config as FastifyContextConfig & { takesErased?: true };
  return config.takesErased === true;
}
