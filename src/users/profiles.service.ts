import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { InterestsService } from '../interests/interests.service.js';
import { PicturesService } from '../pictures/pictures.service.js';
import { type Clock, CLOCK } from '../platform/clock.js';
import { inTransaction } from '../platform/database/statement.js';
import type { AllowedVersions } from '../platform/http/conditional.js';
import type { Faults } from '../platform/http/deferred-faults.js';
import { Problem } from '../platform/http/problem.js';
import { birthDateFault } from './birth-date.js';
import type { Profile, ProfileChanges } from './profile.js';
import { changeProfile, lockProfile, readProfile } from './profile-rows.js';

/** What users do with their own profile. */
@Injectable()
export class ProfilesService {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly interests: InterestsService,
    private readonly pictures: PicturesService,
  ) {}

  /** @throws {Problem} `access_token_invalid` where the user is gone since the token was checked. */
  async read(userId: string, manager: EntityManager = this.db): Promise<Profile> {
    const profile = await readProfile(manager, userId);
    if (!profile) throw new Problem('access_token_invalid');
    return profile;
  }

  /**
   * Completes a profile, once.
   *
   * @param faults what is known to be wrong with the request so far; all faults are told in one answer.
   * @throws {Problem} `validation_failed`, `profile_already_completed`.
   */
  async complete(userId: string, changes: ProfileChanges, faults: Faults): Promise<Profile> {
    const now = this.clock.now();
    checkBirthDate(changes, now, faults);
    return inTransaction(this.db, async (transaction) => {
      // Of two completions at once the second waits here, and then sees what the first has done.
      const profile = await lockProfile(transaction, userId);
      if (!profile) throw new Problem('access_token_invalid');
      if ((await this.pictures.count(transaction, userId)) === 0) {
        const message = 'at least one picture must have been uploaded before';
        faults.add({ field: 'profile_pictures', code: 'required', message });
      }
      const interestIds = await this.chooseInterests(transaction, changes, faults);
      faults.throwIfAny();
      if (profile.completedAt) throw new Problem('profile_already_completed');
      await changeProfile(transaction, userId, changes, { now, completedAt: now });
      await this.interests.replace(transaction, userId, interestIds);
      return this.read(userId, transaction);
    });
  }

  /**
   * Changes what is given.
   *
   * @param versions those that the client may overwrite.
   * @throws {Problem} `validation_failed`, `profile_changed`.
   */
  async change(
    userId: string,
    changes: ProfileChanges,
    versions: AllowedVersions,
    faults: Faults,
  ): Promise<Profile> {
    const now = this.clock.now();
    checkBirthDate(changes, now, faults);
    const options = versions === 'every' ? { now } : { now, versions };
    // The condition on the version is the gate: of two changes of one version, one finds it.
    const apply = async (manager: EntityManager) => {
      if (await changeProfile(manager, userId, changes, options)) return;
      throw new Problem(versions === 'every' ? 'access_token_invalid' : 'profile_changed');
    };
    if (changes.interests !== undefined) {
      await inTransaction(this.db, async (transaction) => {
        const interestIds = await this.chooseInterests(transaction, changes, faults);
        faults.throwIfAny();
        await apply(transaction);
        await this.interests.replace(transaction, userId, interestIds);
      });
      return this.read(userId);
    }
    faults.throwIfAny();
    if (Object.values(changes).every((value) => value === undefined)) return this.unchanged(userId, versions);
    await apply(this.db);
    return this.read(userId);
  }

  private async unchanged(userId: string, versions: AllowedVersions): Promise<Profile> {
    const profile = await this.read(userId);
    if (versions !== 'every' && !versions.includes(profile.version)) throw new Problem('profile_changed');
    return profile;
  }

  /**
   * Sees that all of them are active, and stay so until the choice is committed.
   *
   * @returns their ids.
   */
  private async chooseInterests(
    transaction: EntityManager,
    { interests }: ProfileChanges,
    faults: Faults,
  ): Promise<string[]> {
    if (!interests || faults.has('event_interests')) return [];
    const ids: string[] = [];
    const found = await this.interests.resolveForChoice(transaction, interests);
    for (const [index, interest] of found.entries()) {
      const field = `event_interests.${index}`;
      if (!interest) {
        faults.add({ field, code: 'not_allowed', message: `${field} is no active interest` });
      } else if (!interest.isActive) {
        faults.add({ field, code: 'not_allowed', message: `${field} is no longer active: ${interest.name}` });
      } else if (ids.includes(interest.id)) {
        faults.add({ field, code: 'duplicate', message: `${field} is there twice` });
      } else {
        ids.push(interest.id);
      }
    }
    return ids;
  }
}

function checkBirthDate({ birthDate }: ProfileChanges, now: Date, faults: Faults): void {
  const fault = typeof birthDate === 'string' && birthDateFault(birthDate, now.toISOString().slice(0, 10));
  if (fault) faults.add(fault);
}
