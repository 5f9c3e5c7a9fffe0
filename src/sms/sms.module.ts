import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import { overridable } from '../platform/overrides.js';
import { Inbox } from './inbox.js';
import { InboxController } from './inbox.controller.js';
import { InboxMessage } from './inbox-message.entity.js';
import { SMS_SENDER } from './sms-sender.js';
import { TestSmsSender } from './test-sms-sender.js';

/** Sends texts. In test mode they go to the inbox. */
@Module({
  imports: [TypeOrmModule.forFeature([InboxMessage])],
  controllers: [InboxController],
  providers: [
    Inbox,
    overridable(SMS_SENDER, {
      inject: [Inbox, CLOCK],
      useFactory: (inbox: Inbox, clock: Clock) => new TestSmsSender(inbox, clock),
    }),
  ],
  exports: [SMS_SENDER],
})
export class SmsModule {}
