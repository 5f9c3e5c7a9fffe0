import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsUUID } from 'class-validator';

import { ApiInteger, ApiUuid } from '../platform/http/api-properties.js';
import type { PictureUrls } from '../pictures/picture-urls.js';
import type { PublicProfile } from './profile.js';
import { ProfileInterestDto } from './profile.dto.js';
import { ProfilePictureDto, toProfilePictureDto } from './profile-pictures.dto.js';

/** What other signed-in users may see: never the number, the birth date or a place. */
export class PublicProfileDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;

  /** @example "Ana Pérez" */
  name!: string;

  /** Full years on today's UTC date. @example 30 */
  @ApiInteger()
  age!: number;

  /** @example "Trail runner, bad at chess." */
  bio!: string | null;

  /** @example "Lisbon" */
  location!: string | null;

  profile_pictures!: ProfilePictureDto[];
  event_interests!: ProfileInterestDto[];
}

export class PublicProfilesDto {
  /** In the order asked; those that are not there are left out. */
  items!: PublicProfileDto[];
}

export class PublicProfilesQueryDto {
  /**
   * 1 to 100 user ids, separated by commas.
   * @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07"
   */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsUUID('all', { each: true })
  ids!: string[];
}

export function toPublicProfileDto(profile: PublicProfile, urls: PictureUrls): PublicProfileDto {
  return {
    id: profile.userId,
    name: profile.name,
    age: profile.age,
    bio: profile.bio,
    location: profile.location,
    profile_pictures: profile.pictures.map((picture) => toProfilePictureDto(picture, urls)),
    event_interests: profile.interests.map(({ id, name, slug }) => ({ id, name, slug })),
  };
}
