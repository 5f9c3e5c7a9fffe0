import { createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { createHmac, timingSafeEqual } from 'node:crypto';

import { AppKeys } from '../config/app-keys.js';
import { Problem } from './problem.js';

const KEY = /^[\x21-\x7e]{16,255}$/;
const KEY_ID_BYTES = 4;

/**
 * The `Idempotency-Key` of the request, if it has one: 16 to 255 visible ASCII characters.
 *
 * @throws {Problem} `validation_failed` for any other.
 */
export const IdempotencyKey = createParamDecorator(
  (_: unknown, context: ExecutionContext): string | undefined => {
    const key = context.switchToHttp().getRequest<FastifyRequest>().headers['idempotency-key'];
    if (key === undefined || (typeof key === 'string' && KEY.test(key))) return key;
    const message = 'Idempotency-Key must be 16 to 255 visible ASCII characters';
    throw new Problem('validation_failed', {
      errors: [{ field: 'Idempotency-Key', code: 'format', message }],
    });
  },
);

/** Documents the header. */
export const ApiIdempotencyKey = (): MethodDecorator =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'For a repeat after a lost answer: 16 to 255 visible characters, new for each request meant anew.',
    schema: { type: 'string', minLength: 16, maxLength: 255 },
  });

/** Keys are kept only as HMACs: id of the master secret (4 bytes), HMAC-SHA-256 (32) over what they are for. */
@Injectable()
export class IdempotencyKeys {
  constructor(private readonly keys: AppKeys) {}

  /** @param scope what the key is for; another scope has another hash. */
  hash(scope: readonly string[], key: string): Buffer {
    return hashUnder(this.keys.current('idempotency-key'), scope, key);
  }

  /** The hashes under every secret of a rotation, to look a row up by. */
  hashes(scope: readonly string[], key: string): Buffer[] {
    return this.keys.all('idempotency-key').map((derived) => hashUnder(derived, scope, key));
  }

  /** In constant time. */
  matches(scope: readonly string[], key: string, hash: Buffer): boolean {
    const id = hash.toString('hex', 0, KEY_ID_BYTES);
    const derived = this.keys.byId('idempotency-key', id);
    if (!derived) return false;
    const computed = hashUnder({ id, key: derived }, scope, key);
    return computed.length === hash.length && timingSafeEqual(computed, hash);
  }
}

function hashUnder(
  { id, key }: { id: string; key: Buffer },
  scope: readonly string[],
  idempotencyKey: string,
): Buffer {
  const mac = createHmac('sha256', key)
    .update(JSON.stringify([...scope, idempotencyKey]))
    .digest();
  return Buffer.concat([Buffer.from(id, 'hex'), mac]);
}
