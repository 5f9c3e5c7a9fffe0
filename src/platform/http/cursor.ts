import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { parse as uuidBytes, validate as isUuid } from 'uuid';
import type { z } from 'zod';

import { Optional } from './optional.decorator.js';
import { rule } from './text.decorators.js';
import { unsafeTexts } from './unsafe-text.js';

/**
 * How the place in a list where a page ended is written: the keys of its last item, so that inserts move nothing.
 * Opaque to clients.
 */
export interface CursorFormat<Key> {
  encode(key: Key): string;
  /** Nothing where it is no cursor of this list. */
  decode(cursor: string): Key | undefined;
}

/** Of lists that are sorted by a UUID. */
export const idCursor: CursorFormat<string> = {
  encode: (id) => Buffer.from(uuidBytes(id)).toString('base64url'),
  decode: (cursor) => {
    if (!/^[A-Za-z0-9_-]{22}$/.test(cursor)) return undefined;
    const hex = Buffer.from(cursor, 'base64url').toString('hex');
    const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return isUuid(id) && idCursor.encode(id) === cursor ? id : undefined;
  },
};

/** Of lists that are sorted by other keys: whatever of JSON the schema describes. */
export function cursorOf<Key extends object>(schema: z.ZodType<Key>): CursorFormat<Key> {
  const format: CursorFormat<Key> = {
    encode: (key) => Buffer.from(JSON.stringify(key)).toString('base64url'),
    decode: (cursor) => {
      const key = schema.safeParse(jsonIn(cursor)).data;
      return key && unsafeTexts(key).length === 0 && format.encode(key) === cursor ? key : undefined;
    },
  };
  return format;
}

/** The query field `cursor` of a list. */
export function IsCursor<Key>(format: CursorFormat<Key>): PropertyDecorator {
  return applyDecorators(
    Optional(),
    IsString(),
    ApiProperty({ required: false, type: 'string' }),
    rule(
      'cursor',
      '$property must be the next_cursor of a page',
      (text) => format.decode(text) !== undefined,
    ),
  );
}

function jsonIn(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
