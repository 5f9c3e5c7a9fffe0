/** One whose time is over is closed, though nothing has looked at it since. */
export function isOpenAt(
  { openedAt, openUntil }: { openedAt: Date | null; openUntil: Date | null },
  now: Date,
): boolean {
  return openedAt !== null && (openUntil === null || openUntil > now);
}
