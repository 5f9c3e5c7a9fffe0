import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import type { ClientInfo } from '../../platform/http/client-info.decorator.js';
import type { Caller } from '../../platform/http/current-user.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import { BreakerChanges } from './breaker-changes.js';
import { parseScope } from './breaker-scope.js';
import { BREAKER_CONFIG, type BreakerConfig } from './breaker.config.js';
import type { ForcedState } from './set-breaker.js';
import { SmsBreakers } from './sms-breakers.service.js';
import { type BreakerEntry, readBreakerEntries, readSmsStatus, type SmsStatus } from './sms-status.js';

/** What administrators see and say of texts. */
@Injectable()
export class SmsAdministration {
  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(BREAKER_CONFIG) private readonly config: BreakerConfig,
    private readonly breakers: SmsBreakers,
    private readonly changes: BreakerChanges,
  ) {}

  status(query: { limit: number; country: string | undefined }): Promise<SmsStatus> {
    return readSmsStatus(this.db, this.config, { ...query, now: this.clock.now() });
  }

  /** In force at once on this replica, within a second on the others. @throws {Problem} `not_found` */
  async setBreaker(
    name: string,
    state: ForcedState,
    { userId: actorId }: Caller,
    client: ClientInfo,
  ): Promise<BreakerEntry> {
    const scope = parseScope(name);
    if (!scope) throw new Problem('not_found');
    const now = this.clock.now();
    await this.changes.set(scope, state, { actorId, client, now });
    this.breakers.forget(scope);
    const [entry] = await readBreakerEntries(this.db, [scope], now);
    if (!entry) throw new Problem('not_found');
    return entry;
  }
}
