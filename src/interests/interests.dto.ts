import { ApiUuid } from '../platform/http/api-properties.js';
import type { EventInterest } from './event-interest.entity.js';

export class EventInterestDto {
  /** @example "0192a000-0000-7000-8000-000000000008" */
  @ApiUuid()
  id!: string;

  /** @example "Live music" */
  name!: string;

  /** Never changes under a client. @example "live-music" */
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
