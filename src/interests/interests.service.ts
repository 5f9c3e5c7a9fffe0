import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { statement } from '../platform/database/statement.js';
import { EventInterest } from './event-interest.entity.js';

const replace = statement<never>(
  'interests_replace',
  `WITH dropped AS (
     DELETE FROM user_event_interests WHERE user_id = $1 AND event_interest_id <> ALL ($2::uuid[])
   )
   INSERT INTO user_event_interests (user_id, event_interest_id) SELECT $1, unnest($2::uuid[])
   ON CONFLICT DO NOTHING`,
);

/** The interests that users choose from. */
@Injectable()
export class InterestsService {
  constructor(@InjectEntityManager() private readonly db: EntityManager) {}

  /** Those that can be chosen, by name (case-insensitive, by code point: the same on every server). */
  listActive(manager: EntityManager = this.db): Promise<EventInterest[]> {
    return manager
      .createQueryBuilder(EventInterest, 'interest')
      .where('interest.isActive')
      .orderBy('interest.name_key COLLATE "C"')
      .getMany();
  }

  /**
   * The active interests that ids or slugs name, in the order asked.
   *
   * @returns nothing in the place of one that is not there, or not active.
   */
  async resolve(
    idsOrSlugs: readonly string[],
    manager: EntityManager = this.db,
  ): Promise<(EventInterest | undefined)[]> {
    const found = await manager
      .createQueryBuilder(EventInterest, 'interest')
      .where('interest.isActive AND (interest.id::text = ANY(:names) OR interest.slug = ANY(:names))', {
        names: idsOrSlugs.map((name) => name.toLowerCase()),
      })
      .getMany();
    return idsOrSlugs.map((name) => {
      const asked = name.toLowerCase();
      return found.find(({ id, slug }) => id === asked || slug === asked);
    });
  }

  /** Makes exactly these the choice of a user. The caller holds the lock of the profile, or two choices may mix. */
  async replace(transaction: EntityManager, userId: string, interestIds: readonly string[]): Promise<void> {
    await replace(transaction, [userId, interestIds]);
  }
}
