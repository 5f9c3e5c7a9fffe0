import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { readHistory } from './breaker-look-rows.js';
import type { History } from './breaker-rules.js';
import type { Scope } from './breaker-scope.js';
import { historyAt, windowsAt } from './breaker-windows.js';

const NONE: History = { bestDay: 0, medianHour: 0 };

/** What scopes are used to. It is made of whole hours, so it is read once an hour and process. */
@Injectable()
export class BreakerHistories {
  private readonly known = new Map<string, { hour: number; history: History }>();

  constructor(@InjectEntityManager() private readonly db: EntityManager) {}

  async of(scope: Scope, now: Date): Promise<History> {
    // No rule of a prefix asks for it, and there are too many of them.
    if (scope.kind === 'prefix') return NONE;
    const { hour, historyFrom } = windowsAt(now);
    const known = this.known.get(scope.name);
    if (known?.hour === hour) return known.history;
    const history = historyAt(now, await readHistory(this.db, scope, historyFrom));
    this.known.set(scope.name, { hour, history });
    return history;
  }
}
