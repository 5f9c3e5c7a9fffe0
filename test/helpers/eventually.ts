import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again until what it sees is so; jest's own timeout ends what never comes. */
export async function eventually<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    // Leaves the processor to what is waited for.
    await delay(10);
  }
}

/** The same for what tells no more than whether it is so. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  await eventually(isSo, Boolean);
}
