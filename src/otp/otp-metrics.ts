import { Injectable } from '@nestjs/common';

import { Metrics } from '../platform/observability/metrics.js';

const OTHER = 'other';
const SECONDS = [1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600];

/**
 * Counts codes on their way: sent, delivered, guessed at, refused. What a label takes is bounded here, since some of it
 * comes from a provider: no number, address or text of anybody gets in.
 */
@Injectable()
export class OtpMetrics {
  private readonly sends;
  private readonly refusals;
  private readonly guesses;
  private readonly verifySeconds;
  private readonly receipts;
  private readonly deliverySeconds;

  constructor(metrics: Metrics) {
    this.sends = metrics.counter({
      name: 'latchkey_sms_sends_total',
      help: 'Texts with codes handed to the provider: accepted, unknown, or why refused (its error code, or ours).',
      labels: ['outcome', 'country'],
    });
    this.refusals = metrics.counter({
      name: 'latchkey_otp_refusals_total',
      help: 'Codes that were asked for and not sent, by the rule or problem that refused them.',
      labels: ['reason'],
    });
    this.guesses = metrics.counter({
      name: 'latchkey_otp_guesses_total',
      help: 'Guesses that were claimed on a code, by its digits.',
      labels: ['length', 'outcome'],
    });
    this.verifySeconds = metrics.histogram({
      name: 'latchkey_otp_verify_seconds',
      help: 'From the send of a code to the right guess. Its count is that of codes that were verified.',
      buckets: SECONDS,
    });
    this.receipts = metrics.counter({
      name: 'latchkey_sms_receipts_total',
      help: "Delivery receipts of texts, by status and the provider's error code (none where there is none).",
      labels: ['status', 'error_code'],
    });
    this.deliverySeconds = metrics.histogram({
      name: 'latchkey_sms_delivery_seconds',
      help: 'From the send of a text to its delivery, by the receipt.',
      buckets: SECONDS,
    });
  }

  /**
   * @param outcome `accepted`, `unknown`, or why it was refused: a problem code, or the provider's number for it.
   * @param country ISO 3166-1 alpha-2; anything else is counted as `other`.
   */
  sent(outcome: string, country: string | undefined): void {
    this.sends.inc({ outcome: word(outcome), country: countryOf(country) });
  }

  /** @param reason a problem code or the name of a rule, in snake_case. */
  refused(reason: string): void {
    this.refusals.inc({ reason: word(reason) });
  }

  /** @param length digits of the code, not of the guess. */
  guessed(length: number, isRight: boolean): void {
    this.guesses.inc({ length: String(length), outcome: isRight ? 'right' : 'wrong' });
  }

  verified(secondsSinceSend: number): void {
    this.verifySeconds.observe(Math.max(0, secondsSinceSend));
  }

  /** @param status as the provider says it: `sent`, `delivered`, `undelivered`, `failed`. */
  delivered(status: string, errorCode: number | null, secondsSinceSend: number): void {
    this.receipts.inc({
      status: word(status),
      error_code: errorCode === null ? 'none' : word(String(errorCode)),
    });
    if (status === 'delivered') this.deliverySeconds.observe(Math.max(0, secondsSinceSend));
  }
}

function word(text: string): string {
  return /^[a-z0-9_]{1,40}$/.test(text) && !/\d{7}/.test(text) ? text : OTHER;
}

function countryOf(country: string | undefined): string {
  return country !== undefined && /^[A-Z]{2}$/.test(country) ? country : OTHER;
}
