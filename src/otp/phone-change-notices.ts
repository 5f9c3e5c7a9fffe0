import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { maskPhoneNumber } from '../platform/phone-number.js';
import { SMS_SENDER, type SmsSender } from '../sms/sms-sender.js';
import { SmsTemplates } from './texts/sms-templates.js';

const TASK = 'phone-change-notice';
const WORTH_TELLING_MS = 24 * 60 * 60 * 1000;

interface Payload {
  /** E.164: the number that an account has left. */
  to: string;
  /** After this the notice is given up, so that the number is not kept for ever. Milliseconds since the epoch. */
  until: number;
  /** Language tags (BCP 47), the most wanted first; absent in what the previous version queued. */
  languages?: readonly string[];
}

/** Tells whoever has the old number of an account that it has moved, in case it was not they who moved it. */
@Injectable()
export class PhoneChangeNotices implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly templates: SmsTemplates,
    @Inject(SMS_SENDER) private readonly sms: SmsSender,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onModuleInit(): void {
    this.jobs.handle(TASK, (payload) => this.send(payload as Payload));
  }

  /**
   * Has the text sent once the transaction of the move is committed: at least once, as it is repeated in doubt.
   *
   * @param languages language tags (BCP 47), the most wanted first.
   */
  async queue(transaction: EntityManager, oldNumber: string, languages: readonly string[]): Promise<void> {
    const until = this.clock.now().getTime() + WORTH_TELLING_MS;
    const payload: Payload = { to: oldNumber, until, languages };
    await this.jobs.add(transaction, TASK, payload);
  }

  private async send({ to, until, languages = [] }: Payload): Promise<void> {
    if (this.clock.now().getTime() >= until) {
      this.giveUp(to, 'a day has passed');
      return;
    }
    const purpose = 'phone_change_notice';
    const body = this.templates.write({ purpose, languages });
    const outcome = await this.sms.send({ to, body, purpose, otpCode: null, validitySeconds: null });
    if (outcome.fate === 'accepted') return;
    const reason = outcome.fate === 'refused' ? outcome.code : 'no answer';
    // The queue repeats what has failed, with growing pauses.
    if (reason === 'no answer' || reason === 'sms_unavailable')
      throw new Error(`the notice was not sent: ${reason}`);
    this.giveUp(to, reason);
  }

  private giveUp(to: string, reason: string): void {
    this.log.warn(
      { to: maskPhoneNumber(to), reason },
      'the old number of an account cannot be told that it has moved',
    );
  }
}
