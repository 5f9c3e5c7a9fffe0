import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import type { Profile } from './profile.js';
import { readProfile, type SignedInUser, signInUser } from './profile-rows.js';

@Injectable()
export class UsersService {
  constructor(@InjectEntityManager() private readonly db: EntityManager) {}

  /** The user of a number that was just proved, made if it is new. The caller decides what a status allows. */
  signIn(transaction: EntityManager, phoneNumber: string, now: Date): Promise<SignedInUser> {
    return signInUser(transaction, { newId: uuidv7({ msecs: now.getTime() }), phoneNumber, now });
  }

  /** The profile of a user; nothing where there is no such user, or no longer. */
  profile(userId: string): Promise<Profile | undefined> {
    return readProfile(this.db, userId);
  }
}
