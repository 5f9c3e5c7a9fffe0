import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Notifications } from '../platform/database/notifications.js';
import type { EventInterest } from './event-interest.entity.js';

/**
 * The list of active interests, so that showing it costs no statement. Every replica hears of each change, whoever
 * makes it; while it may have missed one, it knows nothing.
 */
@Injectable()
export class ActiveInterests implements OnModuleInit {
  private known: readonly Readonly<EventInterest>[] | undefined;
  private changes = 0;

  constructor(private readonly notifications: Notifications) {}

  onModuleInit(): void {
    this.notifications.subscribe('latchkey_interests', {
      onNotification: () => this.forget(),
      onGap: () => this.forget(),
    });
  }

  /** Nothing where the database has to be asked. */
  find(): readonly Readonly<EventInterest>[] | undefined {
    return this.notifications.isCurrent() ? this.known : undefined;
  }

  /** Tells moments apart, for {@link remember}. */
  moment(): number {
    return this.changes;
  }

  /**
   * Remembers what the database says.
   *
   * @param asked the `moment()` before the database was asked. Where anything has changed since, nothing is remembered:
   *   the answer may be older than the change.
   */
  remember(interests: readonly Readonly<EventInterest>[], asked: number): void {
    if (asked === this.changes) this.known = interests;
  }

  /** At once, on this replica: the notification of the change is still on its way. */
  forget(): void {
    this.changes += 1;
    this.known = undefined;
  }
}
