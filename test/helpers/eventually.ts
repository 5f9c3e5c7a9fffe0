/** Looks again and again until what it sees is so; jest's own timeout ends what never comes. */
export async function eventually<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    // Leaves the processor to what is waited for.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
