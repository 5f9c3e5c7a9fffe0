import { IsNumber, Max, Min } from 'class-validator';
import { z } from 'zod';

import { ApiDateTime } from '../../platform/http/api-properties.js';
import { cursorOf, IsCursor } from '../../platform/http/cursor.js';
import { IsInstant } from '../../platform/http/instant.decorator.js';
import { Optional } from '../../platform/http/optional.decorator.js';
import { LimitQueryDto } from '../../platform/http/page.dto.js';
import type { Coordinates } from './coordinates.js';

export class CoordinatesDto {
  /** Degrees, WGS 84. @example 37.7749 */
  latitude!: number;
  /** Degrees, WGS 84. @example -122.4194 */
  longitude!: number;
  /** Radius in metres, 0 to 100,000. @example 12 */
  accuracy_m!: number | null;
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  recorded_at!: string;
}

export class RecordCoordinatesDto {
  /** `recorded_at` is compared with the clock, and all faults are told at once. */
  static readonly defersFaults = true;

  /**
   * Degrees, WGS 84, -90 to 90.
   * @example 37.7749
   */
  @IsNumber()
  @Min(-90)
  @Max(90)
  latitude!: number;

  /**
   * Degrees, WGS 84, -180 to 180.
   * @example -122.4194
   */
  @IsNumber()
  @Min(-180)
  @Max(180)
  longitude!: number;

  /**
   * How far off it may be: a radius in metres, 0 to 100,000.
   * @example 12
   */
  @Optional()
  @IsNumber()
  @Min(0)
  @Max(100_000)
  accuracy_m?: number | null;

  /**
   * When the device was there, with its zone; at most 5 minutes ahead. This moment, where it is left out.
   * @example "2026-03-01T12:00:00.000Z"
   */
  @Optional()
  @IsInstant()
  recorded_at?: string | null;
}

export class CoordinatesHistoryDto {
  /** Newest first. */
  items!: CoordinatesDto[];

  /** Ask for the next page with it as `cursor`; null on the last one. @example "eyJyZWNvcmRlZF9hdCI6IjIwMjYtMDMtMDFUMTI6MDA6MDAuMDAwWiJ9" */
  next_cursor!: string | null;
}

/** Of a trail: when the last point of a page was recorded. */
export const trailCursor = cursorOf(z.object({ recorded_at: z.iso.datetime({ precision: 3 }) }));

export class CoordinatesHistoryQueryDto extends LimitQueryDto {
  /**
   * The `next_cursor` of the page before; the first page has none.
   * @example "eyJyZWNvcmRlZF9hdCI6IjIwMjYtMDMtMDFUMTI6MDA6MDAuMDAwWiJ9"
   */
  @IsCursor(trailCursor)
  cursor?: string;
}

export function toCoordinatesDto({
  latitude,
  longitude,
  accuracyM,
  recordedAt,
}: Coordinates): CoordinatesDto {
  return { latitude, longitude, accuracy_m: accuracyM, recorded_at: recordedAt.toISOString() };
}
