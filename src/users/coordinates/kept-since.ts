const DAY_MS = 24 * 60 * 60 * 1000;

/** The oldest moment whose point stays in a trail; `infinity`, which no point reaches, where there is no trail. */
export function keptSince(now: Date, historyDays: number): Date | 'infinity' {
  return historyDays === 0 ? 'infinity' : new Date(now.getTime() - historyDays * DAY_MS);
}
