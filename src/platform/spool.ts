import type { Readable } from 'node:stream';

import { Problem } from './http/problem.js';
import { openNameless } from './nameless-file.js';

const CHUNK = 64 * 1024;

/** What was written, to be read once: the file goes with the end of the stream, or its destruction. */
export interface Spooled {
  stream: Readable;
  bytes: number;
}

/**
 * Keeps an answer that is too large for memory in a nameless file, until it is complete.
 *
 * @throws {Problem} `service_unavailable` where the file cannot be written, such as on a full disk; what `fill` throws.
 */
export async function spool(
  fill: (append: (pieces: AsyncIterable<string>) => Promise<void>) => Promise<void>,
): Promise<Spooled> {
  const file = await orUnavailable(openNameless());
  try {
    await fill(async (pieces) => {
      for await (const chunk of chunksOf(pieces)) await orUnavailable(file.writeFile(chunk));
    });
    const { size: bytes } = await orUnavailable(file.stat());
    return { stream: file.createReadStream({ start: 0 }), bytes };
  } catch (error) {
    await file.close();
    throw error;
  }
}

// A write for each piece would cost more than the pieces.
async function* chunksOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Problem('service_unavailable', undefined, { cause: error });
  }
}
