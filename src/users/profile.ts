import type { ChosenInterest } from '../interests/interests-of-user.js';
import type { Picture } from '../pictures/pictures-of-user.js';
import type { Coordinates } from './coordinates/coordinates.js';
import type { Gender } from './user-profile.entity.js';

/** A user with their profile, as the user and the modules of the app see it. */
export interface Profile {
  userId: string;
  /** E.164. */
  phoneNumber: string;
  /** 2 to 100 characters. */
  name: string | null;
  /** At most 500 characters. */
  bio: string | null;
  /** At most 100 characters. */
  location: string | null;
  /** YYYY-MM-DD. */
  birthDate: string | null;
  gender: Gender | null;
  /** By name. */
  interests: readonly ChosenInterest[];
  /** By position. */
  pictures: readonly Picture[];
  /** The last that are known. */
  coordinates: Coordinates | null;
  isVerified: boolean;
  /** Null until the profile was completed. */
  completedAt: Date | null;
  /** Grows with every change but that of the coordinates. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** What other users may see of a user. */
export interface PublicProfile {
  userId: string;
  name: string;
  /** Full years on today's UTC date. */
  age: number;
  bio: string | null;
  location: string | null;
  pictures: readonly Picture[];
  interests: readonly ChosenInterest[];
}

/** A user who is near. */
export type NearbyUser = PublicProfile & {
  /** Metres, rounded up to a full hundred; 100 at least. */
  distance_m: number;
};

/** Users by distance, the nearest first. */
export interface NearbyUsers {
  /** Fewer than asked for where somebody left while they were read: what tells the end is `next_cursor`. */
  items: NearbyUser[];
  /** Ask the same question with it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** What a user may change; what is undefined stays as it is. */
export interface ProfileChanges {
  name?: string | undefined;
  bio?: string | null | undefined;
  location?: string | null | undefined;
  /** YYYY-MM-DD. */
  birthDate?: string | undefined;
  gender?: Gender | undefined;
  /** Ids or slugs. */
  interests?: readonly string[] | undefined;
}
