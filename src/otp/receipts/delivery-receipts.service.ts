import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { setTimeout as delay } from 'node:timers/promises';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { inTransaction } from '../../platform/database/statement.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { maskPhoneNumber } from '../../platform/phone-number.js';
import { OperatorAlarm } from '../../sms/operator-alarm.js';
import { tellTwilioError } from '../../sms/twilio/tell-twilio-error.js';
import { type TwilioError, twilioError } from '../../sms/twilio/twilio-errors.js';
import { SmsBreakers } from '../breakers/sms-breakers.service.js';
import { REFUSED_NUMBER_MS } from '../limits/abuse-policy.js';
import { LimitKeys } from '../limits/limit-keys.js';
import { prefixOf } from '../limits/number-prefix.js';
import { OtpMetrics } from '../otp-metrics.js';
import type { OtpPurpose } from '../otp-purpose.js';
import { type DeliveryStatus, isFinal } from './delivery-status.js';
import { countReceipt, type ReceivedOtp, receiveStatus } from './receipt-rows.js';
import { refuseNumber } from './refuse-number.js';

/** What a provider reports of a text. */
export interface ReportedStatus {
  messageSid: string;
  status: DeliveryStatus;
  /** Of Twilio; null where all is well. */
  errorCode: number | null;
}

/** What became of the text of a code: news, told once for each status. */
interface DeliveryReceipt {
  otpId: string;
  /** E.164. */
  phoneNumber: string;
  purpose: OtpPurpose;
  status: DeliveryStatus;
  errorCode: number | null;
  /** The provider's own protection takes the number's range for a fraud. */
  isPumping: boolean;
  sentAt: Date;
  at: Date;
}

/** Does what a receipt is the reason for. */
type ReceiptHandler = (receipt: DeliveryReceipt) => Promise<void>;

// A receipt can be faster than the statement that says which code the text was of.
const LOOKS = 4;
const LOOK_EVERY_MS = 250;

/** Keeps what becomes of texts with codes, on the code, and tells whom it concerns. */
@Injectable()
export class DeliveryReceipts {
  private readonly handlers: ReceiptHandler[] = [];

  constructor(
    @InjectEntityManager() private readonly db: EntityManager,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly alarm: OperatorAlarm,
    private readonly limitKeys: LimitKeys,
    private readonly breakers: SmsBreakers,
    private readonly metrics: OtpMetrics,
  ) {}

  /** Has `handler` told of each receipt, once it is kept. To be called in `onModuleInit`. */
  onReceipt(handler: ReceiptHandler): void {
    this.handlers.push(handler);
  }

  /** Takes a report in any order and any number of times. One of a text that carried no code that is kept is let be. */
  async take(reported: ReportedStatus): Promise<void> {
    for (let look = 1; look <= LOOKS; look += 1) {
      const at = this.clock.now();
      const { isKnown, otp } = await inTransaction(this.db, (transaction) =>
        this.keep(transaction, reported, at),
      );
      if (otp) await this.tell(reported, otp, at);
      // What is not final is followed by one that says more.
      if (isKnown || !isFinal(reported.status)) return;
      if (look < LOOKS) await delay(LOOK_EVERY_MS);
    }
  }

  private async keep(transaction: EntityManager, reported: ReportedStatus, at: Date) {
    const received = await receiveStatus(transaction, reported, at);
    const { otp } = received;
    if (!otp) return received;
    const code = errorOf(reported)?.fromNowOn;
    if (code) {
      const [phoneKey] = this.limitKeys.ofPhone(otp.phoneNumber);
      await refuseNumber(transaction, { phoneKey, code, until: new Date(at.getTime() + REFUSED_NUMBER_MS) });
    }
    await countReceipt(transaction, otp.id, reported.status);
    return received;
  }

  private async tell(reported: ReportedStatus, otp: ReceivedOtp, at: Date): Promise<void> {
    const { status, errorCode } = reported;
    const { id: otpId, phoneNumber, purpose, sentAt } = otp;
    const error = errorOf(reported);
    const isPumping = error?.isPumping === true;
    if (error) this.log(reported, otp, error);
    if (isPumping) await this.breakers.openByProvider(prefixOf(phoneNumber), at);
    this.metrics.delivered(status, errorCode, (at.getTime() - sentAt.getTime()) / 1000);
    const receipt = { otpId, phoneNumber, purpose, status, errorCode, isPumping, sentAt, at };
    for (const handler of this.handlers) await handler(receipt);
  }

  private log({ messageSid, status, errorCode }: ReportedStatus, otp: ReceivedOtp, error: TwilioError): void {
    const facts = { to: maskPhoneNumber(otp.phoneNumber), sid: messageSid, status, code: errorCode };
    tellTwilioError(
      error,
      { alarm: this.alarm, log: this.logger },
      { kind: `error ${errorCode}`, facts },
      { operator: 'texts do not arrive until their setup is mended', otherwise: 'a text did not arrive' },
    );
  }
}

function errorOf({ errorCode }: ReportedStatus): TwilioError | undefined {
  return errorCode === null ? undefined : twilioError(errorCode);
}
