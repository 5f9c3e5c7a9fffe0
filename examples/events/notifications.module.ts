import { Module } from '@nestjs/common';
import { AuthModule } from 'latchkey';

import { Notifications } from './notifications.service.js';
import { printedPushes, PUSH_SERVICE } from './push-service.js';

/** Tells users of things; AuthModule brings the push tokens of their sessions. */
@Module({
  imports: [AuthModule],
  providers: [Notifications, { provide: PUSH_SERVICE, useValue: printedPushes }],
  exports: [Notifications],
})
export class NotificationsModule {}
