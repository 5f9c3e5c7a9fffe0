import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { statement } from '../platform/database/statement.js';
import { InboxMessage } from './inbox-message.entity.js';
import type { SmsMessage } from './sms-sender.js';

// Each new text deletes the one that it pushes out, so the table never needs a job.
const add = statement<never>(
  'inbox_add',
  `WITH added AS (
     INSERT INTO sms_inbox (id, recipient, body, otp_code, purpose, sent_at)
     VALUES ($1, $2, $3, $4, $5, $6)
     RETURNING sequence
   )
   DELETE FROM sms_inbox WHERE sequence <= (SELECT sequence FROM added) - 10000`,
);

/** The texts of test mode, the newest 10,000. */
@Injectable()
export class Inbox {
  constructor(@InjectRepository(InboxMessage) private readonly messages: Repository<InboxMessage>) {}

  async add(message: SmsMessage, sentAt: Date): Promise<void> {
    const { to, body, otpCode, purpose } = message;
    const id = uuidv7({ msecs: sentAt.getTime() });
    await add(this.messages.manager, [id, to, body, otpCode, purpose, sentAt]);
  }

  /** Newest first. */
  list({ to, limit }: { to: string | undefined; limit: number }): Promise<InboxMessage[]> {
    return this.messages.find({
      where: to === undefined ? {} : { to },
      order: { sequence: 'DESC' },
      take: limit,
    });
  }
}
