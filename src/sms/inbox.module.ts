import { Module } from '@nestjs/common';

import { InboxController } from './inbox.controller.js';
import { SmsModule } from './sms.module.js';

/** Shows the inbox: for test mode only. */
@Module({ imports: [SmsModule], controllers: [InboxController] })
export class InboxModule {}
