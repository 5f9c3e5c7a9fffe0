import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { acceptedLanguages } from './accepted-languages.js';

/** The language tags of the request's `Accept-Language`, the most wanted first. */
export const AcceptLanguage = createParamDecorator((_: unknown, context: ExecutionContext): string[] =>
  acceptedLanguages(context.switchToHttp().getRequest<FastifyRequest>().headers['accept-language']),
);

/** Documents the header. */
export const ApiAcceptLanguage = (description: string): MethodDecorator =>
  ApiHeader({ name: 'Accept-Language', required: false, description, schema: { type: 'string' } });
