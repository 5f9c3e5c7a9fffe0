// Numbers are given out in blocks of ten thousand.
const LEAVES = 4;

/** The range that a number belongs to: E.164 without its last four digits. */
export function prefixOf(phoneNumber: string): string {
  return phoneNumber.slice(0, -LEAVES);
}
