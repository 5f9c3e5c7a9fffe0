import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import {
  liftSuspension,
  lockStandings,
  type Standing,
  type Suspension,
  writeSuspension,
} from './user-suspension-rows.js';

/** Who is suspended, and why. What else ends with it is the business of whoever suspends. */
@Injectable()
export class UserSuspensions {
  /**
   * Makes whoever else would suspend these users, or open a session of them, wait for the end of the transaction, and
   * what follows see all that came before.
   *
   * @returns those that there are, the deleted ones too, by their ids.
   */
  lock(transaction: EntityManager, userIds: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
    return lockStandings(transaction, userIds);
  }

  /** Suspends a locked user who is not deleted, or writes another reason to it. */
  suspend(transaction: EntityManager, userId: string, suspension: Suspension): Promise<void> {
    return writeSuspension(transaction, userId, suspension);
  }

  /** Makes a locked user who is suspended active again. */
  lift(transaction: EntityManager, userId: string): Promise<void> {
    return liftSuspension(transaction, userId);
  }
}
