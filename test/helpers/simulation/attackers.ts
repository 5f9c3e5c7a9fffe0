import { atOnce } from '../app.js';
import { aChallenge } from '../challenge.js';
import type { GuessLedger } from './guess-ledger.js';
import { signIn, wrong } from './people.js';
import { DAY } from './timeline.js';
import type { Guessed, Refusal, World } from './world.js';

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

/** Until a failed guess lengthens codes no more. */
const FORGOTTEN = 30 * DAY + 1;
const GUESSES = 3;
/** That a number takes in a round before its codes have more digits. */
const MOST_GUESSES = { 4: 6, 6: 21 } as const;
/** Codes of an hour. */
const HOARD = 5;
const BURSTS = 5;
const CLIENTS = 20;
/** That an account may ask for, to move. */
const MOVES_A_DAY = 3;

/** A code for every text that can be had, and so many guesses on each, for good. */
export function withoutPause({ guesses = GUESSES, isBound = false } = {}): Strategy {
  return async (attack) => {
    for (let code = await nextCode(attack, isBound); code; code = await nextCode(attack, isBound)) {
      await guessAt(attack, code, guesses);
    }
  };
}

/** Guesses while codes have no more digits than that, then rests until all of it is forgotten. */
export function patiently({ digits, isBound = false }: { digits: 4 | 6; isBound?: boolean }): Strategy {
  return inRounds((attack) => guessUpTo(attack, { digits, isBound }));
}

/** Gathers codes that are pending side by side, each bound to a client of its own, before it guesses at any. */
export const hoarding: Strategy = inRounds(async (attack) => {
  const codes: Code[] = [];
  while (codes.length < HOARD) {
    const code = await nextCode(attack, true);
    if (!code) return;
    codes.push(code);
  }
  await Promise.all(codes.map((code) => guessAt(attack, code, GUESSES)));
});

/** Everything many times at once, so that one check sees nothing of the others. */
export const inBursts: Strategy = inRounds(async (attack) => {
  for (let burst = 0; burst < BURSTS; burst += 1) {
    const asked = await atOnce(CLIENTS, () => ask(attack, true));
    const codes = asked.flatMap(({ code }) => code ?? []);
    const guesses = codes.flatMap((code) =>
      Array.from({ length: CLIENTS }, (_, index) => guessOnce(attack, code, index + 1)),
    );
    await Promise.all(guesses);
    // For the number's wait between two texts, which has become ten minutes by then.
    await attack.world.timeline.sleep(601);
  }
});

/** Asks, from accounts of their own, to move to the number: these codes go to it as well. */
export const byMoving: Strategy = inRounds(async ({ world, target, ledger }) => {
  for (let account = 0; account < 2; account += 1) {
    const from = world.addresses.fresh();
    const { tokens } = await signIn(world, world.freshNumber(), { from });
    const bearer = tokens?.accessToken ?? '';
    for (let sent = 0; sent < MOVES_A_DAY; sent += 1) {
      const asked = await world.askToMove(target, { from, bearer });
      if (!asked.sent) {
        await world.timeline.sleep(Math.min(asked.refusal.retryAfter, 120));
        continue;
      }
      for (let guess = 1; guess <= GUESSES; guess += 1) {
        const code = wrong(asked.sent.length, guess);
        count(ledger, asked.sent, await world.guessToMove(target, code, { from, bearer }));
      }
    }
  }
});

/** What somebody can do who once had the phone, and kept its `device_token`: guesses in its lane, and in everybody's. */
export const inBothLanes: Strategy = async (attack) => {
  const { deviceToken, ...stranger } = attack;
  const strategy = inRounds(async ({ until }) => {
    for (const lane of [
      { ...stranger, until },
      { ...stranger, deviceToken, until },
    ]) {
      for (let code = await nextCode(lane, true); code; code = await nextCode(lane, true)) {
        if (code.length > 4) break;
        await guessAt(lane, code, GUESSES);
      }
    }
  });
  await strategy(attack);
};

/** Asks for no code of which is known that it will be longer. */
async function guessUpTo(
  attack: Attack,
  { digits, isBound }: { digits: 4 | 6; isBound: boolean },
): Promise<void> {
  for (let guessed = 0; guessed < MOST_GUESSES[digits]; guessed += GUESSES) {
    const code = await nextCode(attack, isBound);
    if (!code || code.length > digits) return;
    await guessAt(attack, code, GUESSES);
  }
}

/** Again and again, each time when all failed guesses are forgotten. */
function inRounds(round: Strategy): Strategy {
  return async (attack) => {
    const { timeline } = attack.world;
    while (timeline.now < attack.until) {
      await round(attack);
      await timeline.sleep(FORGOTTEN);
    }
  };
}

/** Guesses at the code that the owner has asked for, between its text and its being typed, up to so many digits. */
export function atOwnersCode(
  attack: Attack,
  { guesses, digits }: { guesses: number; digits: number },
): (sent: Code) => Promise<void> {
  return async (sent) => {
    if (sent.length > digits) return;
    await guessAt(attack, sent, guesses);
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
    await timeline.sleep(Math.max(1, refusal.retryAfter));
  }
  return undefined;
}

async function ask(
  { world, target, deviceToken }: Attack,
  isBound: boolean,
): Promise<{ code: Code; refusal?: undefined } | { code?: undefined; refusal: Refusal }> {
  const from = world.addresses.fresh();
  const { verifier, challenge } = aChallenge();
  const asked = await world.ask(target, { from, deviceToken, ...(isBound && { challenge }) });
  if (!asked.sent) return { refusal: asked.refusal };
  return { code: { ...asked.sent, ...(isBound && { verifier }) } };
}

async function guessAt(attack: Attack, code: Code, guesses: number): Promise<void> {
  for (let guess = 1; guess <= guesses; guess += 1) await guessOnce(attack, code, guess);
}

async function guessOnce({ world, target, ledger }: Attack, code: Code, guess: number): Promise<void> {
  const from = world.addresses.fresh();
  const { length, verifier } = code;
  count(ledger, code, await world.guess(target, wrong(length, guess), { from, verifier }));
}

function count(ledger: GuessLedger, { id, length }: Code, guessed: Guessed): void {
  if (guessed.signedIn) throw new Error('a guess was right that never is');
  if (guessed.isTaken) ledger.count(id, length);
}
