import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsString, ValidateIf } from 'class-validator';

import { Omittable, Optional } from '../platform/http/optional.decorator.js';
import { IsText } from '../platform/http/text.decorators.js';
import { IsPersonName } from './person-name.decorator.js';
import type { ProfileChanges } from './profile.js';
import type { Gender } from './user-profile.entity.js';

const GENDERS = ['male', 'female', 'other', 'prefer_not_to_say'] as const satisfies readonly Gender[];

const Clearable = (): PropertyDecorator =>
  ValidateIf((_body, value) => value !== undefined && value !== null);

export class CompleteProfileDto {
  /** What it says is checked with the interests and the pictures, and all faults are told at once. */
  static readonly defersFaults = true;

  /**
   * 2 to 100 characters: letters and marks of any script with spaces, hyphens, apostrophes and full stops.
   * @example "Ana Pérez"
   */
  @IsPersonName()
  name!: string;

  /**
   * YYYY-MM-DD; an age of 16 to 120 on today's UTC date.
   * @example "1996-02-29"
   */
  @IsString()
  birth_date!: string;

  /** @example "female" */
  @IsString()
  @IsIn(GENDERS)
  gender!: 'male' | 'female' | 'other' | 'prefer_not_to_say';

  /**
   * 1 to 5 different active interests, by id or slug.
   * @example ["live-music", "outdoors"]
   */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(5)
  @IsString({ each: true })
  event_interests!: string[];

  /**
   * At most 500 characters; line breaks are fine.
   * @example "Trail runner, bad at chess."
   */
  @Optional()
  @IsText({ max: 500, multiline: true })
  bio?: string | null;

  /**
   * At most 100 characters.
   * @example "Lisbon"
   */
  @Optional()
  @IsText({ max: 100 })
  location?: string | null;
}

/** Any of the fields; those that are left out stay as they are. */
export class ChangeProfileDto {
  static readonly defersFaults = true;

  /**
   * 2 to 100 characters: letters and marks of any script with spaces, hyphens, apostrophes and full stops.
   * @example "Ana Pérez"
   */
  @Omittable()
  @IsPersonName()
  @ApiPropertyOptional()
  name?: string;

  /**
   * YYYY-MM-DD; an age of 16 to 120 on today's UTC date.
   * @example "1996-02-29"
   */
  @Omittable()
  @IsString()
  @ApiPropertyOptional()
  birth_date?: string;

  /** @example "female" */
  @Omittable()
  @IsString()
  @IsIn(GENDERS)
  @ApiPropertyOptional()
  gender?: 'male' | 'female' | 'other' | 'prefer_not_to_say';

  /**
   * 1 to 5 different active interests, by id or slug; they take the place of those chosen before.
   * @example ["live-music", "outdoors"]
   */
  @Omittable()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(5)
  @IsString({ each: true })
  @ApiPropertyOptional()
  event_interests?: string[];

  /**
   * At most 500 characters; line breaks are fine. Null clears it.
   * @example "Trail runner, bad at chess."
   */
  @Clearable()
  @IsText({ max: 500, multiline: true })
  @ApiPropertyOptional({ nullable: true })
  bio?: string | null;

  /**
   * At most 100 characters. Null clears it.
   * @example "Lisbon"
   */
  @Clearable()
  @IsText({ max: 100 })
  @ApiPropertyOptional({ nullable: true })
  location?: string | null;
}

export function toProfileChanges(body: CompleteProfileDto | ChangeProfileDto): ProfileChanges {
  const { name, bio, location, birth_date: birthDate, gender, event_interests: interests } = body;
  // A text of nothing is none.
  return {
    name,
    bio: bio === '' ? null : bio,
    location: location === '' ? null : location,
    birthDate,
    gender,
    interests,
  };
}
