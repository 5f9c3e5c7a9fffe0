import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager, In } from 'typeorm';

import { Problem } from '../platform/http/problem.js';
import { User } from './user.entity.js';

/** Accounts that a fixed code has made. What they hold belongs to nobody, and whoever knows the code can use them. */
@Injectable()
export class TestAccounts {
  constructor(@InjectEntityManager() private readonly db: EntityManager) {}

  /**
   * For what would take the account from the next reviewer, or give it what belongs to people.
   *
   * @throws {Problem} `test_account` where it is one.
   */
  async refuse(userId: string): Promise<void> {
    if (await this.db.existsBy(User, { id: userId, isTest: true })) throw new Problem('test_account');
  }

  /** Of these numbers (E.164), those of accounts that are no test accounts. */
  async takenAmong(phoneNumbers: readonly string[]): Promise<string[]> {
    if (phoneNumbers.length === 0) return [];
    const users = await this.db.findBy(User, { phoneNumber: In([...phoneNumbers]), isTest: false });
    return users.flatMap(({ phoneNumber }) => phoneNumber ?? []);
  }
}
