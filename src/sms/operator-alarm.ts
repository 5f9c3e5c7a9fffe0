import { Inject, Injectable } from '@nestjs/common';

import { type Clock, CLOCK } from '../platform/clock.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { Readiness } from '../platform/observability/readiness.js';

const QUIET_MS = 60_000;

/** Tells the operator what stops texts: once a minute at most of each kind, however many requests meet it. */
@Injectable()
export class OperatorAlarm {
  private readonly lastAt = new Map<string, number>();

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly readiness: Readiness,
  ) {}

  /**
   * An error of the setup, which stops texts until somebody mends it: readiness says `degraded` until one is sent.
   *
   * @param kind one of few, as each is remembered.
   */
  raise(kind: string, facts: object, message: string): void {
    this.readiness.degrade('sms');
    this.tell(kind, facts, message);
  }

  /** Any other error. */
  tell(kind: string, facts: object, message: string): void {
    const now = this.clock.now().getTime();
    const last = this.lastAt.get(kind);
    if (last !== undefined && now - last < QUIET_MS) return;
    this.lastAt.set(kind, now);
    this.log.error(facts, message);
  }

  /** A text was sent. */
  clear(): void {
    this.readiness.restore('sms');
  }
}
