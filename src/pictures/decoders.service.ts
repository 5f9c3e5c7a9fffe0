import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { DecodeQueue } from './decode-queue.js';
import { Decoder } from './decoder.js';
import type { ProcessedPicture } from './picture-processing.js';

const HEAVY_BYTES = 64 * 1024 * 1024;
const MAX_HEAVY_WAIT_MS = 10_000;
const IDLE_MS = 60_000;

interface Idle {
  decoder: Decoder;
  timeout: NodeJS.Timeout;
}

/**
 * The processes that pictures are decoded in: as many as there are pictures at once, which is for the queue to say. One
 * that has nothing to do for a minute is ended, and so is one that has needed much memory: no other way gives it back
 * for certain.
 */
@Injectable()
export class Decoders implements OnApplicationShutdown {
  private readonly idle: Idle[] = [];
  // A picture of 50 megapixels may need a gigabyte: never two of that kind at once.
  private readonly heavy = new DecodeQueue({ slots: 1, maxWaitMs: MAX_HEAVY_WAIT_MS });

  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    private readonly queue: DecodeQueue,
  ) {}

  /**
   * Makes of a picture what is kept of it, in its turn. `read` is asked for the picture when that has come, and again
   * for one that needs much memory.
   *
   * @throws {Problem} `unsupported_picture`, `picture_unreadable`; `service_unavailable` where no decoder starts, or
   *   the turn of the picture does not come; and whatever reading it throws.
   */
  async process(read: () => Promise<Buffer>): Promise<ProcessedPicture> {
    const picture = await this.queue.run(async () => this.decodeUnlessHeavy(await read()));
    // One that waits for others of its kind has no slot meanwhile, no decoder and no memory: whatever comes of that
    // kind, all others have the rest of the slots to themselves.
    return picture ?? this.heavy.run(() => this.queue.run(async () => this.decodeHeavy(await read())));
  }

  onApplicationShutdown(): void {
    for (const { decoder, timeout } of this.idle.splice(0)) {
      clearTimeout(timeout);
      decoder.kill();
    }
  }

  private decodeUnlessHeavy(original: Buffer): Promise<ProcessedPicture | undefined> {
    return this.withDecoder(async (decoder) =>
      (await decoder.weigh(original)) < HEAVY_BYTES ? decoder.decode() : undefined,
    );
  }

  private decodeHeavy(original: Buffer): Promise<ProcessedPicture> {
    const work = async (decoder: Decoder) => {
      await decoder.weigh(original);
      return decoder.decode();
    };
    return this.withDecoder(work, { isSpent: true });
  }

  private async withDecoder<T>(work: (decoder: Decoder) => Promise<T>, { isSpent = false } = {}): Promise<T> {
    const decoder = await this.take();
    try {
      return await work(decoder);
    } catch (error) {
      if (!decoder.isAlive) this.log.warn({ err: error }, 'a picture was the end of its decoder');
      throw error;
    } finally {
      if (isSpent) decoder.kill();
      else this.giveBack(decoder);
    }
  }

  private take(): Promise<Decoder> | Decoder {
    for (let found = this.idle.pop(); found; found = this.idle.pop()) {
      clearTimeout(found.timeout);
      if (found.decoder.isAlive) return found.decoder;
    }
    return Decoder.start();
  }

  private giveBack(decoder: Decoder): void {
    if (!decoder.isAlive) return;
    const timeout = setTimeout(() => {
      this.idle.splice(this.idle.indexOf(idle), 1);
      decoder.kill();
    }, IDLE_MS).unref();
    const idle = { decoder, timeout };
    this.idle.push(idle);
  }
}
