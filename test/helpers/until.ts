import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until it is so; what is asked about tells nobody. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(20);
}
