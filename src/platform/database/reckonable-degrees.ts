const SMALLEST = 1e-100;

/**
 * Degrees that PostgreSQL can reckon with: smaller ones, which are no distance at all, are 0. It refuses a product of two
 * numbers, neither of them 0, that is too small for a double, and so would the index of places.
 */
export function reckonable(degrees: number): number {
  return Math.abs(degrees) < SMALLEST ? 0 : degrees;
}
