import { Injectable } from '@nestjs/common';

import { Metrics } from '../../platform/observability/metrics.js';
import type { RevokedReason } from './session.entity.js';

/** Counts how sessions begin, go on and end. */
@Injectable()
export class SessionMetrics {
  private readonly signIns;
  private readonly refreshes;
  private readonly endings;

  constructor(metrics: Metrics) {
    this.signIns = metrics.counter({
      name: 'latchkey_sign_ins_total',
      help: 'Right codes of sign-ins, by what they opened: new_user, known_user, or nothing (suspended).',
      labels: ['outcome'],
    });
    this.refreshes = metrics.counter({
      name: 'latchkey_refreshes_total',
      help: 'Refreshes: rotated, repeated (a lost answer, or a quick thief), reused (too late a repeat), invalid.',
      labels: ['outcome'],
    });
    this.endings = metrics.counter({
      name: 'latchkey_sessions_ended_total',
      help: 'Sessions that ended before they expired, by why; those that went with their account are not counted.',
      labels: ['reason'],
    });
  }

  signedIn(outcome: 'new_user' | 'known_user' | 'suspended'): void {
    this.signIns.inc({ outcome });
  }

  refreshed(outcome: 'rotated' | 'repeated' | 'reused' | 'invalid'): void {
    this.refreshes.inc({ outcome });
  }

  ended(reason: RevokedReason, sessions = 1): void {
    this.endings.inc({ reason }, sessions);
  }
}
