import type { FastifyReply } from 'fastify';

import type { Problem } from './problem.js';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
export const PROBLEM_CONTENT_TYPE = `${PROBLEM_MEDIA_TYPE}; charset=utf-8`;

/** The page that `type` points into, served by `ProblemsController`. */
export const PROBLEMS_PAGE = '/docs/errors';

/** The members of a problem as they stand on the wire (RFC 9457, section 3). */
export function problemBody(problem: Problem, requestId: string, publicUrl: string): Record<string, unknown> {
  return {
    type: `${publicUrl}${PROBLEMS_PAGE}#${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.detail,
    code: problem.code,
    request_id: requestId,
    ...problem.members,
  };
}

/** Answers with the problem: body, `Retry-After` (RFC 6585) and `WWW-Authenticate` (RFC 6750). */
export function sendProblem(reply: FastifyReply, problem: Problem, publicUrl: string): void {
  const retryAfter = problem.members['retry_after'];
  if (typeof retryAfter === 'number') void reply.header('Retry-After', String(retryAfter));
  if (problem.code === 'access_token_invalid' || problem.code === 'access_token_expired') {
    void reply.header('WWW-Authenticate', 'Bearer');
  }
  void reply
    .code(problem.status)
    .header('Content-Type', PROBLEM_CONTENT_TYPE)
    .header('Cache-Control', 'no-store')
    // A string, so that Fastify sends the bytes as they are.
    .send(JSON.stringify(problemBody(problem, reply.request.id, publicUrl)));
}
