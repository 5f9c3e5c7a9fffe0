import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import type { Act } from './act.js';
import type { AuditEntry } from './audit-entry.entity.js';
import { type AuditSearch, eraseClientsOf, insertEntry, listEntriesOf, searchEntries } from './audit-rows.js';

/** The append-only log of who did what. */
@Injectable()
export class AuditLog {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Writes an entry in the transaction of the act: both are there, or neither. */
  record(transaction: EntityManager, act: Act): Promise<void> {
    return insertEntry(transaction, act, this.clock.now());
  }

  /**
   * What a user did, and what was done to them, newest first.
   *
   * @param page.after only entries older than the one of this id.
   */
  listOf(
    userId: string,
    page: { limit: number; after?: string | undefined },
    transaction: EntityManager = this.db,
  ): Promise<AuditEntry[]> {
    return listEntriesOf(transaction, userId, page);
  }

  /** What matches, newest first. */
  search(search: AuditSearch, page: { limit: number; after?: string | undefined }): Promise<AuditEntry[]> {
    return searchEntries(this.db, search, page);
  }

  /** Takes addresses and user agents off what an erased user did: ids are what stays. */
  eraseClientsOf(transaction: EntityManager, userId: string): Promise<void> {
    return eraseClientsOf(transaction, userId);
  }
}
