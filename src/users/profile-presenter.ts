import { Inject, Injectable } from '@nestjs/common';

import { PictureUrls } from '../pictures/picture-urls.js';
import { type Clock, CLOCK } from '../platform/clock.js';
import type { Profile } from './profile.js';
import { type ProfileDto, toProfileDto } from './profile.dto.js';

/** Puts profiles on the wire: with the URLs of their pictures, and the age of today. */
@Injectable()
export class ProfilePresenter {
  constructor(
    private readonly urls: PictureUrls,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  present(profile: Profile): ProfileDto {
    return toProfileDto(profile, this.urls, this.clock.now());
  }
}
