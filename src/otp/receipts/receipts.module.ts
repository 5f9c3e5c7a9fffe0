import { Module } from '@nestjs/common';

import { SmsModule } from '../../sms/sms.module.js';
import { OtpModule } from '../otp.module.js';
import { TwilioStatusController } from './twilio-status.controller.js';

/** Takes delivery receipts: for live mode only. */
@Module({ imports: [OtpModule, SmsModule], controllers: [TwilioStatusController] })
export class ReceiptsModule {}
