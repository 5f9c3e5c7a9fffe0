import type { Gender } from './user-profile.entity.js';

/** A user with their profile, as the own user and trusted modules see it. */
export interface Profile {
  userId: string;
  /** E.164. */
  phoneNumber: string;
  name: string | null;
  bio: string | null;
  location: string | null;
  /** YYYY-MM-DD. */
  birthDate: string | null;
  gender: Gender | null;
  coordinates: { latitude: number; longitude: number; accuracyM: number | null; recordedAt: Date } | null;
  isVerified: boolean;
  /** Null until the profile was completed. */
  completedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
}
