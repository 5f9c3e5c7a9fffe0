import type { Clock } from '../platform/clock.js';
import type { Inbox } from './inbox.js';
import type { SmsMessage, SmsOutcome, SmsSender } from './sms-sender.js';

/** Sends nothing: the inbox shows what would have been sent. */
export class TestSmsSender implements SmsSender {
  constructor(
    private readonly inbox: Inbox,
    private readonly clock: Clock,
  ) {}

  async send(message: SmsMessage): Promise<SmsOutcome> {
    await this.inbox.add(message, this.clock.now());
    return { fate: 'accepted' };
  }
}
