/** Where somebody was, and when. */
export interface Coordinates {
  /** Degrees, WGS 84, -90 to 90. */
  latitude: number;
  /** Degrees, WGS 84, -180 to 180. */
  longitude: number;
  /** Radius in metres, 0 to 100,000; null where the device did not say. */
  accuracyM: number | null;
  recordedAt: Date;
}
