import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { InterestsService } from '../interests/interests.service.js';
import { PictureErasure } from '../pictures/picture-erasure.service.js';
import { lockProfile } from './profile-rows.js';
import { UserProfile } from './user-profile.entity.js';
import { User } from './user.entity.js';

/** Erases users: of a deleted one the id is left, so that what refers to it keeps its meaning. */
@Injectable()
export class UserErasure {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    private readonly interests: InterestsService,
    private readonly pictures: PictureErasure,
  ) {}

  isErased(userId: string): Promise<boolean> {
    return this.db.existsBy(User, { id: userId, status: 'deleted' });
  }

  /**
   * Makes whoever else would change the profile, or erase it, wait for the end of the transaction.
   *
   * @returns the number; nothing where the user is erased already.
   */
  async begin(transaction: EntityManager, userId: string): Promise<string | undefined> {
    if (!(await lockProfile(transaction, userId))) return undefined;
    const user = await transaction.findOneBy(User, { id: userId });
    return user?.phoneNumber ?? undefined;
  }

  /** Erases profile, interests, pictures and number; the number is free once this is committed. */
  async erase(transaction: EntityManager, userId: string): Promise<void> {
    await this.interests.replace(transaction, userId, []);
    await this.pictures.erase(transaction, userId);
    await transaction.delete(UserProfile, { userId });
    await transaction.update(
      User,
      { id: userId },
      { status: 'deleted', phoneNumber: null, roles: [], lastSignInAt: null, phoneChangesAskedAt: [] },
    );
  }
}
