import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import type { Act } from './act.js';
import type { AuditEntry } from './audit-entry.entity.js';
import { eraseClientsOf, insertEntry, listEntriesOf } from './audit-rows.js';

const ALL = 2 ** 31 - 1;

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
  listOf(userId: string, page: { limit: number; after?: string | undefined }): Promise<AuditEntry[]> {
    return listEntriesOf(this.db, userId, page);
  }

  /** The whole of it, newest first, as a transaction sees it. */
  listAllOf(transaction: EntityManager, userId: string): Promise<AuditEntry[]> {
    return listEntriesOf(transaction, userId, { limit: ALL });
  }

  /** Takes addresses and user agents off what an erased user did: ids are what stays. */
  eraseClientsOf(transaction: EntityManager, userId: string): Promise<void> {
    return eraseClientsOf(transaction, userId);
  }
}
