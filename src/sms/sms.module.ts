import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { type Clock, CLOCK } from '../platform/clock.js';
import { SERVER_CONFIG, type ServerConfig } from '../platform/http/server.config.js';
import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { overridable } from '../platform/overrides.js';
import { Inbox } from './inbox.js';
import { InboxMessage } from './inbox-message.entity.js';
import { OperatorAlarm } from './operator-alarm.js';
import { SMS_CONFIG, type SmsConfig } from './sms.config.js';
import { SMS_SENDER, type SmsSender } from './sms-sender.js';
import { TestSmsSender } from './test-sms-sender.js';
import { statusCallback } from './twilio/status-callback.js';

/** Sends texts. In test mode they go to the inbox. */
@Module({
  imports: [TypeOrmModule.forFeature([InboxMessage])],
  providers: [
    Inbox,
    OperatorAlarm,
    overridable(SMS_SENDER, {
      inject: [SMS_CONFIG, SERVER_CONFIG, Inbox, CLOCK, OperatorAlarm, LOGGER],
      useFactory: async (
        { twilio }: SmsConfig,
        server: ServerConfig,
        inbox: Inbox,
        clock: Clock,
        alarm: OperatorAlarm,
        log: Logger,
      ): Promise<SmsSender> => {
        if (!twilio) return new TestSmsSender(inbox, clock);
        // Loading the SDK takes 0.3 s and 28 MB, which test mode does without.
        const { TwilioSmsSender } = await import('./twilio/twilio-sms-sender.js');
        const callback = statusCallback(twilio, server);
        if ('missing' in callback) log.warn(`Twilio sends no delivery receipts: ${callback.missing}`);
        const url = 'url' in callback ? callback.url : undefined;
        return new TwilioSmsSender({ config: twilio, statusCallback: url, alarm, log });
      },
    }),
  ],
  exports: [SMS_SENDER, OperatorAlarm, Inbox],
})
export class SmsModule {}
