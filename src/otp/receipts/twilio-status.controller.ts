import { Controller, HttpCode, HttpStatus, Inject, Post, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { FormFields, TakesForm } from '../../platform/http/forms.js';
import { Unlimited } from '../../platform/http/limits/unlimited.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import { Public } from '../../platform/http/public.decorator.js';
import { PublicUrl } from '../../platform/http/public-url.js';
import { OperatorAlarm } from '../../sms/operator-alarm.js';
import { SMS_CONFIG, type SmsConfig } from '../../sms/sms.config.js';
import { STATUS_CALLBACK_PATH } from '../../sms/twilio/status-callback.js';
import { isSignedByTwilio } from '../../sms/twilio/twilio-signature.js';
import { DeliveryReceipts } from './delivery-receipts.service.js';
import { isDeliveryStatus } from './delivery-status.js';

/** Takes what Twilio reports of texts. Nobody else calls it, so it is not in the document. */
@ApiExcludeController()
@Public()
@Unlimited()
@Controller()
export class TwilioStatusController {
  constructor(
    @Inject(SMS_CONFIG) private readonly config: SmsConfig,
    private readonly publicUrl: PublicUrl,
    private readonly receipts: DeliveryReceipts,
    private readonly alarm: OperatorAlarm,
  ) {}

  @Post(STATUS_CALLBACK_PATH)
  @HttpCode(HttpStatus.NO_CONTENT)
  @TakesForm()
  async twilioStatus(@FormFields() form: URLSearchParams, @Req() request: FastifyRequest): Promise<void> {
    this.requireSignature(form, request);
    const status = form.get('MessageStatus') ?? form.get('SmsStatus');
    const messageSid = form.get('MessageSid') ?? form.get('SmsSid');
    const errorCode = form.get('ErrorCode') ?? '';
    if (messageSid === null || !isDeliveryStatus(status)) return;
    await this.receipts.take({
      messageSid,
      status,
      errorCode: /^[1-9]\d{0,5}$/.test(errorCode) ? Number(errorCode) : null,
    });
  }

  /** @throws {Problem} `forbidden` */
  private requireSignature(form: URLSearchParams, { headers, url }: FastifyRequest): void {
    const { twilio } = this.config;
    const signature = headers['x-twilio-signature'];
    const signed = { signature, url: this.publicUrl.to(url), form };
    if (
      twilio &&
      isSignedByTwilio(twilio.authTokens, signed) &&
      form.get('AccountSid') === twilio.accountSid
    ) {
      return;
    }
    this.alarm.tell(
      'signature',
      { url: this.publicUrl.to(STATUS_CALLBACK_PATH) },
      'a delivery receipt is not signed for this URL with TWILIO_AUTH_TOKEN, or is not of this account',
    );
    throw new Problem('forbidden');
  }
}
