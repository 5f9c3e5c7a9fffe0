import type { FactoryProvider } from '@nestjs/common';

import { SERVER_CONFIG, type ServerConfig } from '../../platform/http/server.config.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { SMS_CONFIG, type SmsConfig } from '../../sms/sms.config.js';
import { OTP_CONFIG, type OtpConfig } from '../otp.config.js';
import { SmsTemplates } from './sms-templates.js';

/** Checks every text at boot, before there is anybody to send one to. */
export const smsTemplatesProvider: FactoryProvider<SmsTemplates> = {
  provide: SmsTemplates,
  inject: [SMS_CONFIG, OTP_CONFIG, SERVER_CONFIG, LOGGER],
  useFactory: (sms: SmsConfig, { ttlSeconds }: OtpConfig, { publicUrl }: ServerConfig, log: Logger) => {
    const { appName: app, androidAppHashes, templatesDirectory: directory } = sms;
    const domain = sms.domain ?? (publicUrl === undefined ? 'localhost' : new URL(publicUrl).hostname);
    const hashes = [...androidAppHashes.values()];
    const templates = SmsTemplates.load({ app, ttlSeconds, domain, androidAppHashes: hashes, directory });
    for (const warning of templates.warnings) log.warn(warning);
    return templates;
  },
};
