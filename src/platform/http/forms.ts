import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';

import { Problem } from './problem.js';

const FORM = 'application/x-www-form-urlencoded';

/** Marks a route as one that takes `application/x-www-form-urlencoded`. */
export const TakesForm = (): MethodDecorator => RouteConfig({ form: true });

/** The fields of a form; none where the body is something else. */
export const FormFields = createParamDecorator((_: undefined, context: ExecutionContext): URLSearchParams => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  return body instanceof URLSearchParams ? body : new URLSearchParams();
});

/** Teaches Fastify forms, for the routes that are marked; to each other they stay an unsupported type. */
export function acceptForms(fastify: FastifyInstance): void {
  fastify.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(body.toString()));
  });
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    const { form: isTaken } = request.routeOptions.config as FastifyContextConfig & { form?: true };
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '');
    done(isForm && !isTaken ? new Problem('unsupported_media_type') : undefined);
  });
}
