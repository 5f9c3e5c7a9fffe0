import type { EventInterest } from './event-interest.entity.js';

/** An interest as administrators see it. */
export interface AdministeredInterest extends EventInterest {
  /** Slugs that it had before: they still name it. */
  formerSlugs: readonly string[];
}

/** What an administrator says of a new interest. */
export interface NewInterest {
  name: string;
  description: string;
  isActive: boolean;
}

/** What is left out stays as it is; a new name, too, leaves the slug. */
export interface InterestChanges {
  name?: string | undefined;
  slug?: string | undefined;
  description?: string | undefined;
  isActive?: boolean | undefined;
}
