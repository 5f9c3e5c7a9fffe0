import { aChallenge } from '../challenge.js';
import { DAY } from './timeline.js';
import type { World } from './world.js';

/** How somebody signs in, who owns the number. */
export interface Habits {
  /** The client's address; by default one of their own. */
  from?: string;
  /** Whether the app binds codes to itself, as every example does. */
  isBound?: boolean;
  /** Of an earlier sign-in on this phone. */
  deviceToken?: string | undefined;
  /** Seconds from the text to the code. */
  typing?: number;
  /** Codes that are typed wrong first. */
  typos?: number;
  /** Whether the first text is taken for lost, and another asked for. */
  resends?: boolean;
  /** Whether they go without typing anything. */
  leaves?: boolean;
  /** Seconds that they are ready to wait in all. */
  patience?: number;
  /** What others do once the text has come, before it is typed. */
  meanwhile?: (sent: { id: number; length: number }) => Promise<void>;
}

/** What it was like. */
export interface Visit {
  /** Nothing where they gave up. */
  tokens?: { deviceToken: string; accessToken: string };
  /** Seconds that refusals asked to wait, all together. */
  waited: number;
  /** Problems that were met, in order. */
  refusals: string[];
  /** Digits of the codes that came. */
  lengths: number[];
}

/** Signs in as a client does: a refusal is waited out, for as long as it says, and all is tried again. */
export async function signIn(world: World, phoneNumber: string, habits: Habits = {}): Promise<Visit> {
  const { timeline } = world;
  const { from = world.addresses.fresh(), isBound = true, typing = 20, deviceToken, patience = DAY } = habits;
  const visit: Visit = { waited: 0, refusals: [], lengths: [] };
  const { verifier, challenge } = aChallenge();
  let typos = habits.typos ?? 0;
  let resends = habits.resends ? 1 : 0;

  const waitOut = async ({ code, retryAfter }: { code: string; retryAfter: number }): Promise<boolean> => {
    visit.refusals.push(code);
    if (visit.waited + retryAfter > patience) return false;
    visit.waited += retryAfter;
    await timeline.sleep(retryAfter);
    return true;
  };

  for (;;) {
    const asked = await world.ask(phoneNumber, { from, deviceToken, ...(isBound && { challenge }) });
    if (!asked.sent) {
      if (await waitOut(asked.refusal)) continue;
      return visit;
    }
    const code = world.read(phoneNumber);
    visit.lengths.push(asked.sent.length);
    await habits.meanwhile?.(asked.sent);
    if (habits.leaves) return visit;
    await timeline.sleep(typing);
    if (resends > 0) {
      resends -= 1;
      // A little after the wait of the first.
      await timeline.sleep(Math.max(0, 35 - typing));
      continue;
    }
    for (; typos > 0; typos -= 1) {
      await world.guess(phoneNumber, wrong(code.length, typos), { from, ...(isBound && { verifier }) });
      await timeline.sleep(5);
    }
    const guessed = await world.guess(phoneNumber, code, { from, ...(isBound && { verifier }) });
    if (guessed.signedIn) return { ...visit, tokens: guessed.signedIn };
    if (!(await waitOut(guessed.refusal))) return visit;
  }
}

/** A number of so many digits that is never a code here: the same for the same `attempt`. */
export function wrong(length: number, attempt: number): string {
  return String(attempt).padStart(length, '0');
}

/** Seconds. */
export function longestWait(visits: readonly Visit[]): number {
  return Math.max(...visits.map(({ waited }) => waited));
}
