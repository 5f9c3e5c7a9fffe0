import { ApiUuid } from '../platform/http/api-properties.js';
import type { EventInterest } from './event-interest.entity.js';

export class EventInterestDto {
  /** @example "0192a000-0000-7000-8000-000000000008" */
  @ApiUuid()
  id!: string;

  /** @example "Live music" */
  name!: string;

  /** It may be replaced by an administrator, and goes on naming this interest then. @example "live-music" */
  slug!: string;

  /** @example "Concerts, gigs, jam sessions and festivals" */
  description!: string;
}

export class EventInterestsDto {
  items!: EventInterestDto[];
}

export function toEventInterestDto({ id, name, slug, description }: EventInterest): EventInterestDto {
  return { id, name, slug, description };
}
