import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { setTimeout as delay } from 'node:timers/promises';
import { EntityManager } from 'typeorm';

import { type Clock, CLOCK } from '../../platform/clock.js';
import { inTransaction } from '../../platform/database/statement.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import { maskPhoneNumber } from '../../platform/phone-number.js';
import { OperatorAlarm } from '../../sms/operator-alarm.js';
import { twilioError } from '../../sms/twilio/twilio-errors.js';
import { LimitKeys } from '../limits/limit-keys.js';
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
export interface DeliveryReceipt {
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

/** Does in a transaction what a receipt is the reason for. Throwing leaves the receipt unread. */
export type ReceiptHandler = (transaction: EntityManager, receipt: DeliveryReceipt) => Promise<void>;

const REFUSED_FOR_MS = 24 * 60 * 60 * 1000;

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
    @Inject(LOGGER) private readonly log: Logger,
    private readonly alarm: OperatorAlarm,
    private readonly limitKeys: LimitKeys,
  ) {}

  /** Has `handler` told of each receipt, in the transaction that keeps it. To be called in `onModuleInit`. */
  onReceipt(handler: ReceiptHandler): void {
    this.handlers.push(handler);
  }

  /** Takes a report in any order and any number of times. One of a text that carried no code that is kept is let be. */
  async take(reported: ReportedStatus): Promise<void> {
    for (let look = 1; look <= LOOKS; look += 1) {
      const isKnown = await inTransaction(this.db, (transaction) => this.keep(transaction, reported));
      // What is not final is followed by one that says more.
      if (isKnown || !isFinal(reported.status)) return;
      if (look < LOOKS) await delay(LOOK_EVERY_MS);
    }
  }

  /** @returns whether the text is known. */
  private async keep(transaction: EntityManager, reported: ReportedStatus): Promise<boolean> {
    const now = this.clock.now();
    const { isKnown, otp } = await receiveStatus(transaction, reported, now);
    if (otp) await this.tell(transaction, reported, otp, now);
    return isKnown;
  }

  private async tell(
    transaction: EntityManager,
    { messageSid, status, errorCode }: ReportedStatus,
    { id: otpId, phoneNumber, purpose, sentAt }: ReceivedOtp,
    at: Date,
  ): Promise<void> {
    const error = errorCode === null ? undefined : twilioError(errorCode);
    if (error?.fromNowOn) {
      const until = new Date(at.getTime() + REFUSED_FOR_MS);
      await refuseNumber(transaction, {
        phoneKey: this.limitKeys.ofPhone(phoneNumber),
        code: error.fromNowOn,
        until,
      });
    }
    const isPumping = error?.isPumping === true;
    const receipt = { otpId, phoneNumber, purpose, status, errorCode, isPumping, sentAt, at };
    for (const handler of this.handlers) await handler(transaction, receipt);
    await countReceipt(transaction, otpId, status);

    if (!error) return;
    const facts = { to: maskPhoneNumber(phoneNumber), sid: messageSid, status, code: errorCode };
    const kind = `error ${errorCode}`;
    if (error.tell === 'operator')
      this.alarm.raise(kind, facts, 'texts do not arrive until their setup is mended');
    else if (error.tell === 'error') this.alarm.tell(kind, facts, 'a text did not arrive');
    else this.log[error.tell === 'warning' ? 'warn' : 'info'](facts, 'a text did not arrive');
  }
}
