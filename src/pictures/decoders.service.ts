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

  constructor(@Inject(LOGGER) private readonly log: Logger) {}

  /**
   * Makes of a picture what is kept of it.
   *
   * @throws {Problem} `unsupported_picture`, `picture_unreadable`; `service_unavailable` where no decoder starts, or
   *   the turn of a picture that needs much memory does not come.
   */
  async process(original: Buffer): Promise<ProcessedPicture> {
    const decoder = await this.take();
    let isSpent = false;
    try {
      isSpent = (await decoder.weigh(original)) >= HEAVY_BYTES;
      return await (isSpent ? this.heavy.run(() => decoder.decode()) : decoder.decode());
    } catch (error) {
      if (!decoder.isAlive) this.log.warn({ err: error }, 'a picture was the end of its decoder');
      throw error;
    } finally {
      if (isSpent) decoder.kill();
      else this.giveBack(decoder);
    }
  }

  onApplicationShutdown(): void {
    for (const { decoder, timeout } of this.idle.splice(0)) {
      clearTimeout(timeout);
      decoder.kill();
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
