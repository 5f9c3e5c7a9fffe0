import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { overridable } from '../platform/overrides.js';
import { SmsModule } from '../sms/sms.module.js';
import { BreakerChanges } from './breakers/breaker-changes.js';
import { BreakerHistories } from './breakers/breaker-histories.js';
import { BreakerMetrics } from './breakers/breaker-metrics.js';
import { BreakerPurge } from './breakers/breaker-purge.js';
import { SmsAdministration } from './breakers/sms-administration.service.js';
import { SmsBreaker } from './breakers/sms-breaker.entity.js';
import { SmsBreakers } from './breakers/sms-breakers.service.js';
import { SmsAdminController } from './breakers/sms.admin.controller.js';
import { CODE_GENERATOR, randomCodes } from './code-generator.js';
import { DeviceTokens } from './device-tokens.js';
import { AddressLimit } from './limits/address-limit.entity.js';
import { AddressLimits } from './limits/address-limits.service.js';
import { AddressWait } from './limits/address-wait.entity.js';
import { GuessLimits } from './limits/guess-limits.service.js';
import { LimitKeys } from './limits/limit-keys.js';
import { LimitsPurge } from './limits/limits-purge.js';
import { PhoneFailure } from './limits/phone-failure.entity.js';
import { PhoneLimit } from './limits/phone-limit.entity.js';
import { PhoneSend } from './limits/phone-send.entity.js';
import { SendCounter } from './limits/send-counter.entity.js';
import { SendLimits } from './limits/send-limits.service.js';
import { ServiceRule } from './limits/service-rule.js';
import { OtpMetrics } from './otp-metrics.js';
import { OtpGuesses } from './otp-guesses.service.js';
import { OtpRecords } from './otp-records.service.js';
import { OtpPurge } from './otp-purge.js';
import { OtpRequests } from './otp-requests.service.js';
import { OtpReservations } from './otp-reservations.service.js';
import { OtpTexts } from './otp-texts.js';
import { PhoneChangeNotices } from './phone-change-notices.js';
import { PhoneOtp } from './phone-otp.entity.js';
import { TestNumbers } from './test-numbers.js';
import { smsTemplatesProvider } from './texts/sms-templates.provider.js';
import { DeliveryReceipts } from './receipts/delivery-receipts.service.js';

/** Issues and checks one-time codes. */
@Module({
  imports: [
    TypeOrmModule.forFeature([
      PhoneOtp,
      PhoneLimit,
      PhoneSend,
      PhoneFailure,
      AddressLimit,
      AddressWait,
      SendCounter,
      SmsBreaker,
    ]),
    SmsModule,
  ],
  controllers: [SmsAdminController],
  providers: [
    OtpRequests,
    OtpReservations,
    OtpGuesses,
    OtpRecords,
    OtpMetrics,
    OtpPurge,
    LimitKeys,
    AddressLimits,
    SendLimits,
    GuessLimits,
    ServiceRule,
    LimitsPurge,
    OtpTexts,
    smsTemplatesProvider,
    PhoneChangeNotices,
    DeviceTokens,
    DeliveryReceipts,
    SmsBreakers,
    SmsAdministration,
    BreakerChanges,
    BreakerHistories,
    BreakerPurge,
    BreakerMetrics,
    TestNumbers,
    overridable(CODE_GENERATOR, { useFactory: () => randomCodes }),
  ],
  exports: [
    OtpRequests,
    OtpGuesses,
    OtpRecords,
    PhoneChangeNotices,
    DeviceTokens,
    TestNumbers,
    DeliveryReceipts,
  ],
})
export class OtpModule {}
