/** The one in the middle of `count` counts (of two, the smaller), those that are not given being 0. */
export function median(counts: readonly number[], count: number): number {
  const largestFirst = [...counts].sort((one, other) => other - one);
  return largestFirst[Math.floor(count / 2)] ?? 0;
}
