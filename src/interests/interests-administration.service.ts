import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7, validate as isUuid } from 'uuid';

import { AuditLog } from '../audit/audit-log.js';
import { type Clock, CLOCK } from '../platform/clock.js';
import { inTransaction } from '../platform/database/statement.js';
import type { ClientInfo } from '../platform/http/client-info.decorator.js';
import type { Caller } from '../platform/http/current-user.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { ActiveInterests } from './active-interests.js';
import type { AdministeredInterest, InterestChanges, NewInterest } from './administered-interest.js';
import type { EventInterest } from './event-interest.entity.js';
import {
  insertInterest,
  listInterests,
  lockInterest,
  readInterest,
  updateInterest,
} from './interest-rows.js';
import { slugOf } from './slug.js';

/** What administrators do with interests. None is ever deleted: profiles may have it. */
@Injectable()
export class InterestsAdministration {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly active: ActiveInterests,
    private readonly audit: AuditLog,
  ) {}

  /**
   * All of them, by name.
   *
   * @param page.after only those after the one of this name key.
   */
  list(page: { limit: number; after: string | undefined }): Promise<AdministeredInterest[]> {
    return listInterests(this.db, page);
  }

  /**
   * Adds one, under the first slug of its name that is free.
   *
   * @throws {Problem} `interest_name_taken`
   */
  async create(interest: NewInterest, caller: Caller, client: ClientInfo): Promise<AdministeredInterest> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.insert({ ...interest, slug: slugOf(interest.name, attempt) }, caller, client);
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'interest_slug_taken')) throw error;
      }
    }
  }

  /**
   * Changes what is given. Once it is answered, nobody chooses an interest that it has made inactive.
   *
   * @throws {Problem} `not_found`, `interest_name_taken`, `interest_slug_taken`.
   */
  async change(
    id: string,
    changes: InterestChanges,
    caller: Caller,
    client: ClientInfo,
  ): Promise<AdministeredInterest> {
    const interest = await inTransaction(this.db, async (transaction) => {
      const before = isUuid(id) ? await lockInterest(transaction, id) : undefined;
      if (!before) throw new Problem('not_found');
      const after = changed(before, changes);
      const payload = differences(before, after);
      if (payload) {
        await updateInterest(transaction, after);
        await this.audit.record(transaction, {
          action: 'interest_changed',
          actorId: caller.userId,
          object: { type: 'event_interest', id: before.id },
          client,
          payload,
        });
      }
      return readInterest(transaction, id);
    });
    this.active.forget();
    return interest;
  }

  private async insert(
    interest: NewInterest & { slug: string },
    caller: Caller,
    client: ClientInfo,
  ): Promise<AdministeredInterest> {
    const id = uuidv7({ msecs: this.clock.now().getTime() });
    const made = await inTransaction(this.db, async (transaction) => {
      await insertInterest(transaction, { ...interest, id });
      const after = recordOf(interest);
      await this.audit.record(transaction, {
        action: 'interest_created',
        actorId: caller.userId,
        object: { type: 'event_interest', id },
        client,
        payload: { before: null, after },
      });
      return readInterest(transaction, id);
    });
    this.active.forget();
    return made;
  }
}

function changed(before: EventInterest, changes: InterestChanges): Omit<EventInterest, 'nameKey'> {
  const { name = before.name, slug = before.slug } = changes;
  const { description = before.description, isActive = before.isActive } = changes;
  return { id: before.id, name, slug, description, isActive };
}

type Recorded = Pick<EventInterest, 'name' | 'slug' | 'description' | 'isActive'>;

/** An interest as the audit log writes it down. */
function recordOf({ name, slug, description, isActive }: Recorded) {
  return { name, slug, description, is_active: isActive };
}

/** What was and what is, of that only which differs; nothing where nothing does. */
function differences(before: Recorded, after: Recorded) {
  const was: Record<string, unknown> = recordOf(before);
  const is: Record<string, unknown> = recordOf(after);
  const fields = Object.keys(is).filter((field) => was[field] !== is[field]);
  const only = (record: Record<string, unknown>) =>
    Object.fromEntries(fields.map((field) => [field, record[field]]));
  return fields.length > 0 ? { before: only(was), after: only(is) } : undefined;
}
