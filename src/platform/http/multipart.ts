import multipart, { type MultipartFile } from '@fastify/multipart';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';

import type { FieldCode, FieldFault, ProblemCode } from './problem-catalogue.js';
import { Problem } from './problem.js';

/** The bytes of one file of an upload, as they arrive. To be read before the next file is asked for. */
export type UploadedFile = AsyncIterable<Uint8Array>;

interface UploadRules {
  /** What every part must be called. */
  field: string;
  /** Files at most. */
  max: number;
  /** The problem of one more. */
  tooMany: ProblemCode & 'picture_limit_reached';
}

const MAX_FILE_BYTES = 10 * 1024 * 1024;
// Boundaries and headers of parts; browsers send some 200 bytes a file.
const MAX_BYTES_AROUND_A_FILE = 16 * 1024;
const MAX_NAME_ECHOED = 100;
const HAS_BODY = /^(POST|PUT|PATCH|DELETE|OPTIONS)$/;

/** Marks a route as one that takes `multipart/form-data`, and nothing else. */
export const TakesMultipart = (): MethodDecorator => RouteConfig({ multipart: true });

/**
 * The files of a `multipart/form-data` body. Nothing of the body is read before the first file is asked for, and
 * nothing after the last one that is: what a refused client still sends is thrown away.
 */
export const Uploads = createParamDecorator((rules: UploadRules, context: ExecutionContext) =>
  filesOf(context.switchToHttp().getRequest<FastifyRequest>(), rules),
);

/** Teaches Fastify multipart, for the routes that are marked; to each other it stays an unsupported type. */
export function acceptMultipart(fastify: FastifyInstance): void {
  // What is a file is told by the route, not by a name that a client gives or leaves out.
  void fastify.register(multipart, { isPartAFile: () => true });
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    const { multipart: isTaken } = request.routeOptions.config as FastifyContextConfig & { multipart?: true };
    const isMultipart = /^multipart\//i.test(request.headers['content-type'] ?? '');
    if (isMultipart && !isTaken && HAS_BODY.test(request.method)) done(new Problem('unsupported_media_type'));
    else done();
  });
}

async function* filesOf(request: FastifyRequest, rules: UploadRules): AsyncGenerator<UploadedFile> {
  if (request.headers['content-type'] === undefined) throw fault(rules.field, 'required');
  if (!request.isMultipart()) throw new Problem('unsupported_media_type');
  const { max, field } = rules;
  const maxBytes = max * (MAX_FILE_BYTES + MAX_BYTES_AROUND_A_FILE);
  if (Number(request.headers['content-length']) > maxBytes) throw new Problem('payload_too_large');
  const limits = {
    files: max,
    fields: 0,
    parts: max + 1,
    fileSize: MAX_FILE_BYTES,
    fieldNameSize: 100,
    headerPairs: 16,
    headerSize: 8 * 1024,
  };
  let count = 0;
  const parts = request.parts({ limits });
  const excess = new Excess(request.raw, maxBytes);
  try {
    for (;;) {
      const next = await Promise.race([parts.next(), excess.found]);
      if (next.done) break;
      const part = next.value;
      if (part.type !== 'file' || part.fieldname !== field) throw fault(part.fieldname, 'unknown_field');
      count += 1;
      yield bytesOf(part);
    }
  } catch (error) {
    throw toRefusal(error, rules);
  } finally {
    // An answer reaches a client that is still sending only if somebody listens; Node's timeout ends it.
    excess.stop();
    request.raw.unpipe();
    request.raw.resume();
  }
  if (count === 0) throw fault(field, 'required');
}

/** Notices a body of no declared length that goes on: before its first part, in a header, behind its last file. */
class Excess {
  /** Rejects with `payload_too_large`. */
  readonly found: Promise<never>;
  readonly stop: () => void;

  constructor(body: Readable, maxBytes: number) {
    let left = maxBytes;
    let refuse: (problem: Problem) => void = () => undefined;
    this.found = new Promise<never>((_resolve, reject) => (refuse = reject));
    // Somebody listens only while a part is waited for.
    this.found.catch(() => undefined);
    const count = (chunk: Uint8Array) => {
      left -= chunk.length;
      if (left < 0) refuse(new Problem('payload_too_large'));
    };
    body.on('data', count);
    this.stop = () => body.off('data', count);
  }
}

async function* bytesOf({ file }: MultipartFile): UploadedFile {
  try {
    for await (const chunk of file as AsyncIterable<Uint8Array>) {
      // The rest would be read and dropped, however long it is.
      if (file.truncated) throw new Problem('payload_too_large');
      yield chunk;
    }
  } catch (error) {
    throw toRefusal(error);
  }
  // A file may have been cut at its very last chunk.
  if (file.truncated) throw new Problem('payload_too_large');
}

function toRefusal(error: unknown, rules?: UploadRules): unknown {
  if (error instanceof Problem) return error;
  const { code } = error as { code?: unknown };
  if (code === 'FST_FILES_LIMIT' && rules) return new Problem(rules.tooMany, undefined, { cause: error });
  if (code === 'FST_REQ_FILE_TOO_LARGE') return new Problem('payload_too_large', undefined, { cause: error });
  // Whatever else reading a body can fail of, its sender has caused.
  return new Problem('malformed_request', undefined, { cause: error });
}

const MESSAGES = { required: 'is missing', unknown_field: 'is no part of this form' };

function fault(name: string | undefined, code: keyof typeof MESSAGES & FieldCode): Problem {
  const field = (name ?? '').slice(0, MAX_NAME_ECHOED).replaceAll('\0', '').toWellFormed();
  const found: FieldFault = { field, code, message: `${field || 'A part without a name'} ${MESSAGES[code]}` };
  return new Problem('validation_failed', { errors: [found] });
}
