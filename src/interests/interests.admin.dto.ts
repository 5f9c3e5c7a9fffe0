import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString } from 'class-validator';
import { z } from 'zod';

import { ApiUuid } from '../platform/http/api-properties.js';
import { cursorOf, IsCursor } from '../platform/http/cursor.js';
import { Omittable, Optional } from '../platform/http/optional.decorator.js';
import { LimitQueryDto } from '../platform/http/page.dto.js';
import { IsText, rule } from '../platform/http/text.decorators.js';
import type { AdministeredInterest, InterestChanges, NewInterest } from './administered-interest.js';
import { isSlug, MAX_SLUG_LENGTH } from './slug.js';

/** Where a page ended: the name key of its last interest. */
export const interestCursor = cursorOf(z.strictObject({ after: z.string() }));

export class EventInterestsQueryDto extends LimitQueryDto {
  /**
   * The `next_cursor` of the page before; the first page has none.
   * @example "eyJhZnRlciI6ImxpdmUgbXVzaWMifQ"
   */
  @IsCursor(interestCursor)
  cursor?: string;
}

export class AdministeredInterestDto {
  /** @example "0192a000-0000-7000-8000-000000000008" */
  @ApiUuid()
  id!: string;

  /** @example "Live music" */
  name!: string;

  /** @example "live-music" */
  slug!: string;

  /** Slugs that it had before; they still name it. @example ["concerts"] */
  @ApiProperty({ type: [String] })
  former_slugs!: readonly string[];

  /** @example "Concerts, gigs, jam sessions and festivals" */
  description!: string;

  /** Whether it is on the public list, and can be chosen. */
  is_active!: boolean;
}

export class AdministeredInterestsDto {
  /** By name, inactive ones too. */
  items!: AdministeredInterestDto[];

  /** Ask for the next page with it as `cursor`; null on the last one. @example "eyJhZnRlciI6ImxpdmUgbXVzaWMifQ" */
  next_cursor!: string | null;
}

export class CreateEventInterestDto {
  /**
   * 1 to 60 characters; no other interest has it, in upper or lower case.
   * @example "Board games"
   */
  @IsText({ min: 1, max: 60 })
  name!: string;

  /**
   * At most 200 characters.
   * @example "Evenings with dice, cards and tiles"
   */
  @IsText({ max: 200 })
  description!: string;

  /** Whether it can be chosen at once. */
  @Optional()
  @IsBoolean()
  is_active?: boolean = true;
}

/** Any of the fields; those that are left out stay as they are. */
export class ChangeEventInterestDto {
  /**
   * 1 to 60 characters; no other interest has it, in upper or lower case. The slug stays.
   * @example "Board games"
   */
  @Omittable()
  @IsText({ min: 1, max: 60 })
  @ApiPropertyOptional()
  name?: string;

  /**
   * Lower-case letters a-z and digits in groups with a hyphen between, 64 at most, unlike a UUID. The one before keeps
   * its meaning.
   * @example "board-games"
   */
  @Omittable()
  @IsString()
  @rule(
    'slug',
    `$property must be a-z and 0-9 in groups with a hyphen between, at most ${MAX_SLUG_LENGTH}`,
    isSlug,
  )
  @ApiPropertyOptional()
  slug?: string;

  /**
   * At most 200 characters.
   * @example "Evenings with dice, cards and tiles"
   */
  @Omittable()
  @IsText({ max: 200 })
  @ApiPropertyOptional()
  description?: string;

  /** False takes it off the public list and out of new choices; profiles that have it keep it. */
  @Omittable()
  @IsBoolean()
  @ApiPropertyOptional()
  is_active?: boolean;
}

export function toNewInterest({ name, description, is_active }: CreateEventInterestDto): NewInterest {
  return { name, description, isActive: is_active ?? true };
}

export function toInterestChanges(body: ChangeEventInterestDto): InterestChanges {
  const { name, slug, description, is_active: isActive } = body;
  return { name, slug, description, isActive };
}

export function toAdministeredInterestDto(interest: AdministeredInterest): AdministeredInterestDto {
  const { id, name, slug, formerSlugs, description, isActive } = interest;
  return { id, name, slug, former_slugs: formerSlugs, description, is_active: isActive };
}
