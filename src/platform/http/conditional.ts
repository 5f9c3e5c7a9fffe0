import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { createHash } from 'node:crypto';

// Conditional requests (RFC 9110, section 13). Our tags are strong: `"<version>-<hash of the body>"`, where the
// version is absent for what has none. The hash moves with all that a body shows (an age, a renamed interest), the
// version only with what a client can change, and overwrite.

/** Documents a route that answers with {@link answerConditionally}. */
export const ApiConditional = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({ name: 'If-None-Match', required: false, schema: { type: 'string' } }),
    ApiResponse({ status: 304, description: 'The client has it already.' }),
  );

/**
 * Sets `ETag` and `Cache-Control`, and answers 304 where the client has this very body already.
 *
 * @returns the body to send; nothing with a 304.
 */
export function answerConditionally<Body extends object>(
  reply: FastifyReply,
  body: Body,
  { version, cacheControl }: { version?: number; cacheControl: string },
): Body | undefined {
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22);
  const tag = version === undefined ? `"${hash}"` : `"${version}-${hash}"`;
  void reply.header('ETag', tag).header('Cache-Control', cacheControl);
  const { method, headers } = reply.request;
  if ((method !== 'GET' && method !== 'HEAD') || !matchesWeakly(headers['if-none-match'], tag)) return body;
  void reply.code(304);
  return undefined;
}

/** What an `If-Match` allows: every version (`*`, or no header), or those of its strong tags. */
export type AllowedVersions = 'every' | readonly number[];

/** Weak tags never match (RFC 9110, section 13.1.1), and neither do tags that are not ours. */
export function versionsOfIfMatch(header: string | undefined): AllowedVersions {
  if (header === undefined || header.trim() === '*') return 'every';
  return tagsOf(header).flatMap((tag) => {
    const [, version] = /^"(\d{1,9})-[\w-]+"$/.exec(tag) ?? [];
    return version === undefined ? [] : [Number(version)];
  });
}

function matchesWeakly(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || tagsOf(header).some((given) => given.replace(/^W\//, '') === tag);
}

function tagsOf(header: string): string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}
