import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { statement } from '../platform/database/statement.js';
import { ActiveInterests } from './active-interests.js';
import type { EventInterest } from './event-interest.entity.js';
import { listActiveInterests, resolveInterests } from './interest-rows.js';

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
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    private readonly active: ActiveInterests,
  ) {}

  /**
   * Those that can be chosen, by name (case-insensitive, by code point: the same on every server). What this process
   * knows is shown, all callers the same objects; it lags changes by 5 seconds at most.
   *
   * @param transaction reads from the database instead, what that has done so far included.
   */
  async listActive(transaction?: EntityManager): Promise<readonly Readonly<EventInterest>[]> {
    if (transaction) return listActiveInterests(transaction);
    const known = this.active.find();
    if (known) return known;
    const asked = this.active.moment();
    const listed = Object.freeze(
      (await listActiveInterests(this.db)).map((interest) => Object.freeze(interest)),
    );
    this.active.remember(listed, asked);
    return listed;
  }

  /**
   * The active interests that ids or slugs name, slugs of former times too, in the order asked.
   *
   * @returns nothing in the place of one that is not there, or not active.
   */
  async resolve(
    idsOrSlugs: readonly string[],
    manager: EntityManager = this.db,
  ): Promise<(EventInterest | undefined)[]> {
    const found = await resolveInterests(manager, idsOrSlugs);
    return found.map((interest) => (interest?.isActive ? interest : undefined));
  }

  /**
   * Like {@link resolve}, but inactive ones are shown for what they are, and none changes before the end of the
   * transaction: what is active now still is when the choice of it is committed.
   */
  resolveForChoice(
    transaction: EntityManager,
    idsOrSlugs: readonly string[],
  ): Promise<(EventInterest | undefined)[]> {
    return resolveInterests(transaction, idsOrSlugs, { hold: true });
  }

  /** Makes exactly these the choice of a user. The caller holds the lock of the profile, or two choices may mix. */
  async replace(transaction: EntityManager, userId: string, interestIds: readonly string[]): Promise<void> {
    await replace(transaction, [userId, interestIds]);
  }
}
