// The earth as a sphere: distances are off by 0.6 % at most.

/** The mean radius (IUGG). */
const RADIUS_M = 6_371_008.8;

export const HALF_CIRCUMFERENCE_M = Math.PI * RADIUS_M;

/** How far apart two places are through the unit sphere that are so many metres apart on the ground. */
export function chordOf(metres: number): number {
  return 2 * Math.sin(Math.min(metres / RADIUS_M, Math.PI) / 2);
}

/** How many metres apart two places are on the ground that are so far apart through the unit sphere. */
export function metresOf(chord: number): number {
  return 2 * RADIUS_M * Math.asin(Math.min(chord / 2, 1));
}
