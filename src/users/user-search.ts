import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { validate as isUuid } from 'uuid';
import { z } from 'zod';

import { cursorOf } from '../platform/http/cursor.js';
import { type Page, pageOf } from '../platform/http/page.dto.js';
import { Problem } from '../platform/http/problem.js';
import { writtenPhoneNumber } from '../platform/phone-number.js';
import { nameKeyOf } from './name-key.js';
import { findByName, findNewest, findOne, type FoundUser } from './user-search-rows.js';
import type { UserStatus } from './user.entity.js';

const PLACE = z.strictObject({ name: z.string().exactOptional(), id: z.uuid() });

/** Where a page of users ended: with the key of the name where the list is by name. */
export type UserPlace = z.infer<typeof PLACE>;

export const userCursor = cursorOf(PLACE);

export interface FoundUsers {
  items: readonly FoundUser[];
  nextCursor: string | null;
}

type Status = UserStatus | undefined;

/** Finds users, for administrators. */
@Injectable()
export class UserSearch {
  constructor(@InjectEntityManager() private readonly db: EntityManager) {}

  /**
   * A page of users: the one of a number or an id, else those whose name begins so, by name; without a text all, the
   * newest first. Deleted users have neither number nor name to be found by.
   *
   * @param text a phone number, an id (UUID), or the beginning of a name, whatever its case and accents.
   * @throws {Problem} `validation_failed` where the page before was one of another search.
   */
  find(text: string, status: Status, page: Page<UserPlace>): Promise<FoundUsers> {
    const number = writtenPhoneNumber(text);
    if (number !== undefined) return this.one('phone_number', number, status, page);
    if (isUuid(text)) return this.one('id', text, status, page);
    return text === '' ? this.newest(status, page) : this.byName(nameKeyOf(text), status, page);
  }

  private async one(
    column: 'phone_number' | 'id',
    value: string,
    status: Status,
    { after }: Page<UserPlace>,
  ): Promise<FoundUsers> {
    if (after) throw foreignCursor();
    return { items: await findOne(this.db, column, value, status), nextCursor: null };
  }

  private async newest(status: Status, page: Page<UserPlace>): Promise<FoundUsers> {
    const { limit, after } = page;
    if (after?.name !== undefined) throw foreignCursor();
    const found = await findNewest(this.db, { status, limit: limit + 1 }, after?.id);
    return pageOf(found, page, userCursor, ({ userId: id }) => ({ id }));
  }

  private async byName(beginning: string, status: Status, page: Page<UserPlace>): Promise<FoundUsers> {
    const { limit, after } = page;
    if (after && !after.name?.startsWith(beginning)) throw foreignCursor();
    const place = after && { nameKey: after.name ?? '', userId: after.id };
    const found = await findByName(this.db, beginning, { status, limit: limit + 1 }, place);
    return pageOf(found, page, userCursor, ({ nameKey, userId: id }) => ({ name: nameKey ?? '', id }));
  }
}

function foreignCursor(): Problem {
  const message = 'cursor must be the next_cursor of a page of the same search';
  return new Problem('validation_failed', { errors: [{ field: 'cursor', code: 'format', message }] });
}
