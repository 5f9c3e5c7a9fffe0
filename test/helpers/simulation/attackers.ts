import { atOnce } from '../app.js';
import { aChallenge } from '../challenge.js';
import type { GuessLedger } from './guess-ledger.js';
import { signIn, wrong } from './people.js';
import { DAY } from './timeline.js';
import type { Asked, Guessed, World } from './world.js';

/** An account that somebody wants, who has any number of addresses and knows the policy. */
export interface Attack {
  world: World;
  target: string;
  /** Second of the simulation. */
  until: number;
  /** What the service lets them do. */
  ledger: GuessLedger;
  /** Of the target's number, from a time when the attacker had the phone. */
  deviceToken?: string | undefined;
}

export type Strategy = (attack: Attack) => Promise<void>;

/** For as long as a failed guess lengthens codes; and one second. */
const WINDOW = 30 * DAY + 1;
const GUESSES = 3;

/** A code for every text that can be had, and so many guesses on each, for good. */
export function withoutPause({ guesses = GUESSES, isBound = false } = {}): Strategy {
  return async (attack) => {
    for (let code = await nextCode(attack, isBound); code; code = await nextCode(attack, isBound)) {
      await guessAt(attack, code, guesses);
    }
  };
}

/** Guesses while codes have no more digits than that, then waits until all of it is forgotten. */
export function patiently({ digits, isBound = false }: { digits: number; isBound?: boolean }): Strategy {
  return async (attack) => {
    const { timeline } = attack.world;
    let began: number | undefined;
    for (let code = await nextCode(attack, isBound); code; code = await nextCode(attack, isBound)) {
      if (code.length <= digits) {
        began ??= timeline.now;
        await guessAt(attack, code, GUESSES);
        continue;
      }
      const forgotten = (began ?? timeline.now) + WINDOW;
      began = undefined;
      if (forgotten > attack.until) return;
      await timeline.sleepUntil(forgotten);
    }
  };
}

/** Gathers codes that are pending side by side, each bound to a client of its own, before it guesses at any. */
export const hoarding: Strategy = async (attack) => {
  const { timeline } = attack.world;
  const codesAtOnce = 5;
  for (let round = timeline.now; round < attack.until; round += WINDOW) {
    await timeline.sleepUntil(round);
    const codes: Code[] = [];
    while (codes.length < codesAtOnce) {
      const code = await nextCode(attack, true);
      if (!code) return;
      codes.push(code);
    }
    await Promise.all(codes.map((code) => guessAt(attack, code, GUESSES)));
  }
};

/** Everything many times at once, so that one check sees nothing of the others. */
export const inBursts: Strategy = async (attack) => {
  const { world, target, until, ledger } = attack;
  const { timeline } = world;
  for (let round = timeline.now; round < until; round += WINDOW) {
    await timeline.sleepUntil(round);
    for (let burst = 0; burst < 5; burst += 1) {
      const clients = await atOnce(20, () => askedBy(attack, true));
      const codes = clients.filter((client) => client !== undefined);
      await Promise.all(
        codes.flatMap((code) =>
          Array.from({ length: 12 }, async (_, guess) => {
            const from = world.addresses.fresh();
            const { verifier } = code;
            count(ledger, code, await world.guess(target, wrong(code.length, guess + 1), { from, verifier }));
          }),
        ),
      );
      await timeline.sleep(601);
    }
  }
};

/** Asks, from accounts of their own, to move to the number: these codes go to it as well. */
export const byMoving: Strategy = async ({ world, target, until, ledger }) => {
  const { timeline } = world;
  for (let round = timeline.now; round < until; round += WINDOW) {
    await timeline.sleepUntil(round);
    for (let account = 0; account < 2; account += 1) {
      const from = world.addresses.fresh();
      const { tokens } = await signIn(world, world.freshNumber(), { from });
      const bearer = tokens?.accessToken ?? '';
      for (let sent = 0; sent < 3; sent += 1) {
        const asked = await world.askToMove(target, { from, bearer });
        if (!asked.sent) {
          await timeline.sleep(Math.min(asked.refusal.retryAfter, 120));
          continue;
        }
        for (let guess = 1; guess <= GUESSES; guess += 1) {
          const code = wrong(asked.sent.length, guess);
          count(ledger, asked.sent, await world.guessToMove(target, code, { from, bearer }));
        }
      }
    }
  }
};

/** Guesses at the code that the owner has asked for, between its text and its being typed, up to so many digits. */
export function atOwnersCode(
  { world, target, ledger }: Attack,
  { guesses, digits }: { guesses: number; digits: number },
): (sent: Code) => Promise<void> {
  return async (sent) => {
    if (sent.length > digits) return;
    await guessAt({ world, target, ledger, until: Infinity }, sent, guesses);
  };
}

interface Code {
  id: number;
  length: number;
  verifier?: string | undefined;
}

/** The next code that is sent to the target; nothing where that would be too late. */
async function nextCode(attack: Attack, isBound: boolean): Promise<Code | undefined> {
  const { timeline } = attack.world;
  while (timeline.now < attack.until) {
    const { code, refusal } = await ask(attack, isBound);
    if (code) return code;
    await timeline.sleep(Math.max(1, refusal?.retryAfter ?? 0));
  }
  return undefined;
}

async function askedBy(attack: Attack, isBound: boolean): Promise<Code | undefined> {
  return (await ask(attack, isBound)).code;
}

async function ask(
  { world, target, deviceToken }: Attack,
  isBound: boolean,
): Promise<{ code?: Code; refusal?: (Asked & { sent?: undefined })['refusal'] }> {
  const from = world.addresses.fresh();
  const { verifier, challenge } = aChallenge();
  const asked = await world.ask(target, { from, deviceToken, ...(isBound && { challenge }) });
  if (!asked.sent) return { refusal: asked.refusal };
  return { code: { ...asked.sent, ...(isBound && { verifier }) } };
}

async function guessAt({ world, target, ledger }: Attack, code: Code, guesses: number): Promise<void> {
  for (let guess = 1; guess <= guesses; guess += 1) {
    const from = world.addresses.fresh();
    const { verifier } = code;
    count(ledger, code, await world.guess(target, wrong(code.length, guess), { from, verifier }));
  }
}

function count(ledger: GuessLedger, { id, length }: Code, guessed: Guessed): void {
  if (guessed.signedIn) throw new Error('a guess was right that never is');
  if (guessed.isTaken) ledger.count(id, length);
}
