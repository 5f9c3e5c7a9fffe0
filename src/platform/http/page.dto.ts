import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsString, Max, Min } from 'class-validator';
import { parse as uuidBytes, validate as isUuid } from 'uuid';

import { ApiInteger } from './api-properties.js';
import { Optional } from './optional.decorator.js';
import { rule } from './text.decorators.js';

/** The query of a list that pages by cursor. */
export class PageQueryDto {
  /** Items at most, 1 to 100. */
  @ApiInteger()
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number = 50;

  /**
   * The `next_cursor` of the page before; the first page has none.
   * @example "AZNbLnwffVKaPkyNL2saBw"
   */
  @Optional()
  @IsString()
  @ApiProperty({ required: false, type: 'string' })
  @rule('cursor', '$property must be the next_cursor of a page', (text) => idOfCursor(text) !== undefined)
  cursor?: string;
}

/** What a service is asked for: a page, and the id of the last item before it. */
export interface Page {
  limit: number;
  before: string | undefined;
}

export function toPage({ limit = 50, cursor }: PageQueryDto): Page {
  return { limit, before: cursor === undefined ? undefined : idOfCursor(cursor) };
}

/**
 * A page cut off from one item more than was asked for.
 *
 * @param items at most `limit + 1`.
 */
export function pageOf<T extends { id: string }>(
  items: readonly T[],
  { limit }: Page,
): { items: readonly T[]; nextCursor: string | null } {
  const page = items.slice(0, limit);
  const last = items.length > limit ? page.at(-1) : undefined;
  return { items: page, nextCursor: last ? cursorOf(last.id) : null };
}

// Opaque to clients: the id of the last item of a page, so that inserts move nothing.
function cursorOf(id: string): string {
  return Buffer.from(uuidBytes(id)).toString('base64url');
}

function idOfCursor(cursor: string): string | undefined {
  if (!/^[A-Za-z0-9_-]{22}$/.test(cursor)) return undefined;
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return isUuid(id) && cursorOf(id) === cursor ? id : undefined;
}
