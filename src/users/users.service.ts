import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { type Clock, CLOCK } from '../platform/clock.js';
import { ageOn } from './age-on.js';
import type { NearbyQuestion } from './nearby/nearby-question.js';
import { NearbySearch } from './nearby/nearby-search.service.js';
import type { NearbyUsers, Profile, PublicProfile } from './profile.js';
import {
  readProfile,
  readProfiles,
  readVisibleProfiles,
  type SignedInUser,
  signInUser,
} from './profile-rows.js';
import { User } from './user.entity.js';

/** Users for the other modules of the app. Each read takes a transaction, to see what that has done so far. */
@Injectable()
export class UsersService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly nearby: NearbySearch,
  ) {}

  /**
   * The user of a number that was just proved, made if it is new. The caller decides what a status allows, and whether
   * it is the kind of account that was meant.
   *
   * @param signIn.isTest whether a fixed code has proved it: then a new account is a test account.
   */
  signIn(
    transaction: EntityManager,
    { now, ...signIn }: { phoneNumber: string; isTest: boolean; now: Date },
  ): Promise<SignedInUser> {
    return signInUser(transaction, { newId: uuidv7({ msecs: now.getTime() }), now, ...signIn });
  }

  /**
   * A user with everything that is known of them, the phone number included: not for the eyes of other users.
   *
   * @param userId a UUID; anything else is an error of the database.
   * @returns undefined where there is no such user, or no longer.
   */
  find(userId: string, transaction: EntityManager = this.db): Promise<Profile | undefined> {
    return readProfile(transaction, userId);
  }

  /** The account itself: status, roles, and when it was used. */
  findAccount(userId: string, transaction: EntityManager = this.db): Promise<User | null> {
    return transaction.findOneBy(User, { id: userId });
  }

  /**
   * Many users at once, in one statement.
   *
   * @returns those that are there, in the order asked.
   */
  async findMany(userIds: readonly string[], transaction: EntityManager = this.db): Promise<Profile[]> {
    return inOrder(userIds, await readProfiles(transaction, userIds));
  }

  /**
   * What other users may see, in one statement: of users who have completed their profile and are active.
   *
   * @returns those that are there, in the order asked.
   */
  async publicProfiles(
    userIds: readonly string[],
    transaction: EntityManager = this.db,
  ): Promise<PublicProfile[]> {
    const today = this.clock.now().toISOString().slice(0, 10);
    const profiles = await readVisibleProfiles(transaction, userIds);
    return inOrder(userIds, profiles).flatMap(
      ({ userId, name, birthDate, bio, location, pictures, interests }) =>
        name === null || birthDate === null
          ? []
          : [{ userId, name, age: ageOn(today, birthDate), bio, location, pictures, interests }],
    );
  }

  /**
   * Who is near a place, of users who have completed their profile and are active: the nearest first, those of one
   * place by id. Two statements, however many there are. Places are never told, and distances are rounded up to a full
   * 100 m; who may ask as often as they like, from wherever they like, can work them out all the same: see
   * docs/INTEGRATION_GUIDE.md.
   *
   * @throws {Problem} `validation_failed` with the faults of the question, a bad cursor among them;
   *   `service_unavailable` where the extension `cube` or its index is missing.
   */
  async findNear(question: NearbyQuestion, transaction: EntityManager = this.db): Promise<NearbyUsers> {
    const { found, nextCursor } = await this.nearby.find(question, transaction);
    const ids = found.map(({ userId }) => userId);
    const profiles = await this.publicProfiles(ids, transaction);
    const byId = new Map(profiles.map((profile) => [profile.userId, profile]));
    const items = found.flatMap(({ userId, metres }) => {
      const profile = byId.get(userId);
      return profile ? [{ ...profile, distance_m: metres }] : [];
    });
    return { items, next_cursor: nextCursor };
  }
}

function inOrder(userIds: readonly string[], profiles: readonly Profile[]): Profile[] {
  const byId = new Map(profiles.map((profile) => [profile.userId, profile]));
  return [...new Set(userIds)].flatMap((userId) => byId.get(userId.toLowerCase()) ?? []);
}
