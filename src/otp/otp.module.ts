import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { overridable } from '../platform/overrides.js';
import { SmsModule } from '../sms/sms.module.js';
import { CODE_GENERATOR, randomCodes } from './code-generator.js';
import { DeviceTokens } from './device-tokens.js';
import { OtpGuesses } from './otp-guesses.service.js';
import { OtpRecords } from './otp-records.service.js';
import { OtpPurge } from './otp-purge.js';
import { OtpRequests } from './otp-requests.service.js';
import { OtpTexts } from './otp-texts.js';
import { PhoneChangeNotices } from './phone-change-notices.js';
import { PhoneLimit } from './phone-limit.entity.js';
import { PhoneOtp } from './phone-otp.entity.js';
import { PhoneWaits } from './phone-waits.js';
import { TestNumbers } from './test-numbers.js';

/** Issues and checks one-time codes. */
@Module({
  imports: [TypeOrmModule.forFeature([PhoneOtp, PhoneLimit]), SmsModule],
  providers: [
    OtpRequests,
    OtpGuesses,
    OtpRecords,
    OtpPurge,
    PhoneWaits,
    OtpTexts,
    PhoneChangeNotices,
    DeviceTokens,
    TestNumbers,
    overridable(CODE_GENERATOR, { useFactory: () => randomCodes }),
  ],
  exports: [OtpRequests, OtpGuesses, OtpRecords, PhoneChangeNotices, DeviceTokens, TestNumbers],
})
export class OtpModule {}
