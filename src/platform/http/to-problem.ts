import { HttpException } from '@nestjs/common';

import { isDatabaseUnavailable } from '../database/database-errors.js';
import { Problem } from './problem.js';

type MemberlessCode =
  | 'malformed_request'
  | 'forbidden'
  | 'not_found'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'service_unavailable';

// Refusals of Fastify and of Nest's router arrive as errors with a status; each has one code here.
const BY_STATUS: Readonly<Record<number, MemberlessCode>> = {
  400: 'malformed_request',
  403: 'forbidden',
  404: 'not_found',
  405: 'not_found',
  408: 'malformed_request',
  413: 'payload_too_large',
  414: 'malformed_request',
  415: 'unsupported_media_type',
  431: 'malformed_request',
  503: 'service_unavailable',
};

/** Whatever was thrown, as a problem of the catalogue; what nobody foresaw is an `internal_error`. */
export function toProblem(error: unknown): Problem {
  if (isProblem(error)) return error;
  if (isDatabaseUnavailable(error)) return new Problem('service_unavailable', undefined, { cause: error });
  if (isHangUp(error)) return new Problem('malformed_request');
  const code = BY_STATUS[statusOf(error)] ?? 'internal_error';
  return new Problem(code, undefined, { cause: error });
}

/** The client went away in the middle of its body: nobody is left to read an answer. */
export function isHangUp(error: unknown): boolean {
  return (
    error instanceof Error && error.message === 'aborted' && 'code' in error && error.code === 'ECONNRESET'
  );
}

function isProblem(error: unknown): error is Problem {
  return error instanceof Problem;
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  // FastifyError
  if (error instanceof Error && 'statusCode' in error && 'code' in error) return Number(error.statusCode);
  return 500;
}
