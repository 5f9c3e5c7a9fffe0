import { Inject, Injectable } from '@nestjs/common';

import { type Logger, LOGGER } from '../platform/observability/logger.js';
import { maskPhoneNumber } from '../platform/phone-number.js';
import { SMS_CONFIG, type SmsConfig } from '../sms/sms.config.js';
import { SMS_SENDER, type SmsOutcome, type SmsSender } from '../sms/sms-sender.js';
import type { OtpPurpose } from './otp-purpose.js';
import { SmsTemplates } from './texts/sms-templates.js';

interface OtpToSend {
  /** E.164. */
  to: string;
  purpose: OtpPurpose;
  code: string;
  ttlSeconds: number;
  /** Name of an Android app of `SMS_ANDROID_APP_HASHES`. */
  app: string | undefined;
  /** Language tags (BCP 47), the most wanted first. */
  languages: readonly string[];
}

/** Writes the text of a code and hands it to the sender. */
@Injectable()
export class OtpTexts {
  constructor(
    @Inject(SMS_CONFIG) private readonly config: SmsConfig,
    @Inject(SMS_SENDER) private readonly sms: SmsSender,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly templates: SmsTemplates,
  ) {}

  async send({ to, purpose, code, app, languages, ttlSeconds }: OtpToSend): Promise<SmsOutcome> {
    const androidAppHash = app === undefined ? undefined : this.config.androidAppHashes.get(app);
    const body = this.templates.write({ purpose, languages, androidAppHash, code });
    try {
      return await this.sms.send({ to, body, purpose, otpCode: code, validitySeconds: ttlSeconds });
    } catch (err) {
      this.log.error({ err, to: maskPhoneNumber(to) }, 'sms sender failed');
      return { fate: 'unknown' };
    }
  }
}
