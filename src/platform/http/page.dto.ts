import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

import { ApiInteger } from './api-properties.js';
import { type CursorFormat, idCursor, IsCursor } from './cursor.js';
import { Optional } from './optional.decorator.js';

/** The query of a list that pages; its DTO adds the `cursor`, in the list's format. */
export abstract class LimitQueryDto {
  /** Items at most, 1 to 100. */
  @ApiInteger()
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number = 50;
}

/** The query of a list that is sorted by id. */
export class PageQueryDto extends LimitQueryDto {
  /**
   * The `next_cursor` of the page before; the first page has none.
   * @example "AZNbLnwffVKaPkyNL2saBw"
   */
  @IsCursor(idCursor)
  cursor?: string;
}

/** What a service is asked for: a page, and the keys of the last item before it. */
export interface Page<Key = string> {
  /** 1 to 100. */
  limit: number;
  after: Key | undefined;
}

export function toPage<Key>(
  { limit = 50, cursor }: { limit?: number; cursor?: string },
  format: CursorFormat<Key>,
): Page<Key> {
  return { limit, after: cursor === undefined ? undefined : format.decode(cursor) };
}

/**
 * A page cut off from one item more than was asked for.
 *
 * @param items at most `limit + 1`.
 * @param keyOf what the list is sorted by.
 */
export function pageOf<T, Key>(
  items: readonly T[],
  { limit }: Page<Key>,
  format: CursorFormat<Key>,
  keyOf: (item: T) => Key,
): { items: readonly T[]; nextCursor: string | null } {
  const page = items.slice(0, limit);
  const last = items.length > limit ? page.at(-1) : undefined;
  return { items: page, nextCursor: last === undefined ? null : format.encode(keyOf(last)) };
}
