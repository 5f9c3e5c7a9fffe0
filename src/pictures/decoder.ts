import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { childEnvironment } from '../platform/config/process-environment.js';
import { Problem } from '../platform/http/problem.js';
import type { ProcessedPicture } from './picture-processing.js';

/** What a decoder is told: first to look at a picture, then to decode it. */
export type DecoderOrder = { weigh: Buffer } | { decode: true };

/** What it answers. */
export type DecoderAnswer =
  | { ready: true }
  | { weight: number }
  | { picture: ProcessedPicture }
  | { refused: 'unsupported_picture' | 'picture_unreadable'; reason: string };

const MODULE = fileURLToPath(new URL('./decoder-process.js', import.meta.url));
const SETTINGS = {
  // No loader that libvips calls untrusted, from its very start.
  VIPS_BLOCK_UNTRUSTED: '1',
  // glibc would keep an arena of memory for each thread that has decoded a picture.
  MALLOC_ARENA_MAX: '2',
};
// Of a picture of 50 megapixels, on a machine that is busy with other things.
const MAX_MS = 30_000;

/**
 * A process that decodes one picture after another. What the native code of image libraries may do at its worst (end
 * the process, never come back, take a gigabyte) it does to this one; and there is no secret in it to be had.
 */
export class Decoder {
  private waiting: { resolve: (answer: DecoderAnswer) => void; reject: (error: Error) => void } | undefined;
  private end: Error | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly maxMs: number,
  ) {
    // A server that has ended all else is not kept.
    child.unref();
    child.channel?.unref();
    child.on('message', (answer: DecoderAnswer) => this.waiting?.resolve(answer));
    child.on('error', (error) => this.hasEnded(error));
    child.on('exit', (code, signal) =>
      this.hasEnded(new Error(`the decoder ended with ${signal ?? String(code)}`)),
    );
  }

  /** @throws {Problem} `service_unavailable` where the process does not start. */
  static async start({ module = MODULE, maxMs = MAX_MS } = {}): Promise<Decoder> {
    try {
      // Throws at once where, for one, there is no memory for another process.
      const child = fork(module, [], {
        // Nothing of the server's: neither its secrets, nor a debugger's port.
        env: childEnvironment(SETTINGS),
        execArgv: [],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        serialization: 'advanced',
      });
      const decoder = new Decoder(child, maxMs);
      await decoder.answer();
      return decoder;
    } catch (error) {
      throw new Problem('service_unavailable', undefined, { cause: error });
    }
  }

  get isAlive(): boolean {
    return this.end === undefined;
  }

  /**
   * Looks at a picture. @returns how many bytes decoding it needs, roughly.
   *
   * @throws {Problem} `unsupported_picture`, `picture_unreadable`.
   */
  async weigh(original: Buffer): Promise<number> {
    const answer = await this.ask({ weigh: original });
    if ('weight' in answer) return answer.weight;
    throw unexpected(answer);
  }

  /**
   * Decodes the picture that was weighed last.
   *
   * @throws {Problem} `picture_unreadable`, also where the decoder ends over it, or takes too long.
   */
  async decode(): Promise<ProcessedPicture> {
    const answer = await this.ask({ decode: true });
    if ('picture' in answer) return answer.picture;
    throw unexpected(answer);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private async ask(order: DecoderOrder): Promise<DecoderAnswer> {
    // A failure to send is told by `error` or `exit` as well.
    this.child.send(order, () => undefined);
    const answer = await this.answer().catch((error: unknown) => {
      throw new Problem('picture_unreadable', undefined, { cause: error });
    });
    if ('refused' in answer) {
      throw new Problem(answer.refused, undefined, { cause: new Error(answer.reason) });
    }
    return answer;
  }

  private async answer(): Promise<DecoderAnswer> {
    if (this.end) throw this.end;
    const timeout = setTimeout(() => {
      this.hasEnded(new Error(`the decoder gave no answer in ${this.maxMs} ms`));
      this.kill();
    }, this.maxMs);
    try {
      return await new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
    } finally {
      clearTimeout(timeout);
      this.waiting = undefined;
    }
  }

  private hasEnded(why: Error): void {
    this.end ??= why;
    this.waiting?.reject(this.end);
  }
}

function unexpected(answer: DecoderAnswer): Error {
  return new Error(`the decoder answered ${Object.keys(answer).join()}`);
}
