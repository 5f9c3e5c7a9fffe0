import { ApiProperty } from '@nestjs/swagger';

import type { PictureUrls } from '../pictures/picture-urls.js';
import { ApiDateTime, ApiUuid } from '../platform/http/api-properties.js';
import { ageOn } from './age-on.js';
import { CoordinatesDto, toCoordinatesDto } from './coordinates/coordinates.dto.js';
import type { Profile } from './profile.js';
import { ProfilePictureDto, toProfilePictureDto } from './profile-pictures.dto.js';

export class ProfileInterestDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;
  /** @example "Live music" */
  name!: string;
  /** @example "live-music" */
  slug!: string;
}

/** The own user's profile. Before completion every key is there, null or an empty list. */
export class ProfileDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;
  /** E.164. @example "+14155552671" */
  phone_number!: string;
  /** 2 to 100 characters. @example "Ana Pérez" */
  name!: string | null;
  /** At most 500 characters. @example "Trail runner." */
  bio!: string | null;
  /** At most 100 characters. @example "Lisbon" */
  location!: string | null;
  /** YYYY-MM-DD. @example "1996-02-29" */
  birth_date!: string | null;
  /** Full years on today's UTC date. @example 30 */
  @ApiProperty({ type: 'integer', nullable: true })
  age!: number | null;
  /** @example "female" */
  gender!: 'male' | 'female' | 'other' | 'prefer_not_to_say' | null;
  event_interests!: ProfileInterestDto[];
  profile_pictures!: ProfilePictureDto[];
  coordinates!: CoordinatesDto | null;
  /** Whether the number has been confirmed by a code. */
  is_verified!: boolean;
  needs_profile_completion!: boolean;
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  created_at!: string;
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  updated_at!: string;
}

export function toProfileDto(profile: Profile, urls: PictureUrls, now: Date): ProfileDto {
  const { birthDate, coordinates } = profile;
  return {
    id: profile.userId,
    phone_number: profile.phoneNumber,
    name: profile.name,
    bio: profile.bio,
    location: profile.location,
    birth_date: birthDate,
    age: birthDate === null ? null : ageOn(now.toISOString().slice(0, 10), birthDate),
    gender: profile.gender,
    event_interests: profile.interests.map(({ id, name, slug }) => ({ id, name, slug })),
    profile_pictures: profile.pictures.map((picture) => toProfilePictureDto(picture, urls)),
    coordinates: coordinates && toCoordinatesDto(coordinates),
    is_verified: profile.isVerified,
    needs_profile_completion: profile.completedAt === null,
    created_at: profile.createdAt.toISOString(),
    updated_at: profile.updatedAt.toISOString(),
  };
}
