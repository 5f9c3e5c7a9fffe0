import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { InterestsService } from '../interests/interests.service.js';
import { PictureErasure } from '../pictures/picture-erasure.service.js';
import { CoordinatesService } from './coordinates/coordinates.service.js';
import { lockProfile } from './profile-rows.js';
import { UserProfile } from './user-profile.entity.js';
import { User } from './user.entity.js';

/** Erases in a transaction what a module keeps of a user. Throwing ends the deletion of the account with it. */
export type EraseHandler = (transaction: EntityManager, userId: string) => Promise<unknown>;

/**
 * Erases users: of a deleted one the id is left, so that what refers to it keeps its meaning. Foreign keys to `users`
 * therefore notice nothing: a module that keeps something personal says how it is erased.
 */
@Injectable()
export class UserErasure {
  private readonly handlers: EraseHandler[] = [];

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    private readonly interests: InterestsService,
    private readonly pictures: PictureErasure,
    private readonly coordinates: CoordinatesService,
  ) {}

  /**
   * Has `handler` erase what a module keeps of a user who deletes their account, in the transaction of the deletion.
   * To be called in `onModuleInit`. What is foreign or slow (a store, another service) is for a job after the commit.
   */
  onErase(handler: EraseHandler): void {
    this.handlers.push(handler);
  }

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

  /** Erases profile, interests, pictures, coordinates and number; the number is free once this is committed. */
  async erase(transaction: EntityManager, userId: string): Promise<void> {
    for (const handler of this.handlers) await handler(transaction, userId);
    await this.interests.replace(transaction, userId, []);
    await this.pictures.erase(transaction, userId);
    await this.coordinates.erase(transaction, userId);
    await transaction.delete(UserProfile, { userId });
    await transaction.update(
      User,
      { id: userId },
      {
        status: 'deleted',
        phoneNumber: null,
        roles: [],
        lastSignInAt: null,
        phoneChangesAskedAt: [],
        suspendedAt: null,
        suspendedBy: null,
        suspensionReason: null,
        uploadsAt: [],
        isTest: false,
      },
    );
  }
}
