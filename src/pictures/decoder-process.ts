// The process that pictures are decoded in: forked by the server, and ended by it.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

import { Problem } from '../platform/http/problem.js';
import type { DecoderAnswer, DecoderOrder } from './decoder.js';
import { processPicture, restrictDecoders, weighPicture } from './picture-processing.js';

const NICENESS = 5;
const THREADS = '/proc/self/task';
const OOM_SCORE = '/proc/self/oom_score_adj';

let original: Buffer = Buffer.alloc(0);

stepBack();
restrictDecoders();
process.on('message', (order: DecoderOrder) => {
  void obey(order).then(answer, (error: unknown) => answer(refusal(error)));
});
// The server is gone. An ordinary exit would wait for the decoder.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A terminal, or systemd, sends them to the server as well, which finishes what is under way first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
answer({ ready: true });

async function obey(order: DecoderOrder): Promise<DecoderAnswer> {
  if ('weigh' in order) {
    original = order.weigh;
    return { weight: await weighPicture(original) };
  }
  return { picture: await processPicture(original) };
}

function refusal(error: unknown): DecoderAnswer {
  const code = isProblem(error) && error.code === 'unsupported_picture' ? error.code : 'picture_unreadable';
  const cause = isProblem(error) ? error.cause : error;
  return { refused: code, reason: cause instanceof Error ? cause.message : code };
}

function isProblem(error: unknown): error is Problem {
  return error instanceof Problem;
}

function answer(message: DecoderAnswer): void {
  // Where the server is gone, `disconnect` is what tells of it.
  process.send?.(message, undefined, undefined, () => undefined);
}

/** Sign-ins go before pictures; and where memory runs out, it is this process that the kernel ends. */
function stepBack(): void {
  // On Linux each thread has a priority of its own; one to come takes that of its maker.
  const threads = existsSync(THREADS) ? readdirSync(THREADS).map(Number) : [process.pid];
  // A server that has been made nicer still has decoders that are; no ordinary user may take that back.
  for (const thread of threads) ifAllowed(() => setPriority(thread, Math.max(NICENESS, getPriority(thread))));
  if (existsSync(OOM_SCORE)) ifAllowed(() => writeFileSync(OOM_SCORE, '1000'));
}

/** A system that forbids a decoder to step back has one that does not, rather than none. */
function ifAllowed(work: () => void): void {
  try {
    work();
  } catch {
    // Pictures matter more.
  }
}
