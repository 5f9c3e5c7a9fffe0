import { setTimeout as delay } from 'node:timers/promises';

import type { Logger } from '../../platform/observability/logger.js';
import { maskPhoneNumber } from '../../platform/phone-number.js';
import type { OperatorAlarm } from '../operator-alarm.js';
import type { SmsMessage, SmsOutcome, SmsRefusal, SmsSender } from '../sms-sender.js';
import { masked } from './masked.js';
import { tellTwilioError } from './tell-twilio-error.js';
import type { TwilioConfig } from './twilio.config.js';
import { type CreatedMessage, TwilioApi, TwilioRefusal } from './twilio-api.js';
import { type TwilioError, twilioError, twilioErrorOf } from './twilio-errors.js';
import { NoAnswer } from './twilio-http.js';

const FIRST_PAUSE_MS = 100;
// No further try is begun where less than this is left of the time.
const LEAST_TRY_MS = 50;
const MADE_AND_FAILED = new Set(['failed', 'undelivered', 'canceled']);

/** How a try ended. */
interface Tried {
  outcome: SmsOutcome;
  /** How often it may be tried again by now. */
  moreTries: number;
  /** To the log, if this is how it stays. */
  tell: () => void;
}

interface Parts {
  config: TwilioConfig;
  /** Where Twilio reports what becomes of texts with codes; absent: nowhere. */
  statusCallback: string | undefined;
  alarm: OperatorAlarm;
  log: Logger;
}

/** Sends texts by Twilio, within the time that is set for all tries together. */
export class TwilioSmsSender implements SmsSender {
  private readonly api: TwilioApi;

  constructor(private readonly parts: Parts) {
    this.api = new TwilioApi(parts.config);
  }

  async send(message: SmsMessage): Promise<SmsOutcome> {
    const deadline = performance.now() + this.parts.config.timeoutMs;
    let isUncertain = false;
    for (let tries = 1; ; tries += 1) {
      const { outcome, moreTries, tell } = await this.try(message, deadline - performance.now());
      const pause = FIRST_PAUSE_MS * 2 ** tries * Math.random();
      if (tries <= moreTries && deadline - performance.now() > pause + LEAST_TRY_MS) {
        isUncertain ||= outcome.fate === 'unknown';
        await delay(pause);
        continue;
      }
      tell();
      // That this try came to nothing says nothing of an earlier one.
      const isOurs = outcome.fate === 'refused' && outcome.code === 'sms_unavailable';
      return isUncertain && isOurs ? { fate: 'unknown' } : outcome;
    }
  }

  private async try(message: SmsMessage, timeoutMs: number): Promise<Tried> {
    try {
      return this.created(message, await this.api.createMessage(this.requestOf(message), { timeoutMs }));
    } catch (error) {
      if (error instanceof TwilioRefusal) return this.refused(message, error);
      return this.unanswered(message, error);
    }
  }

  private requestOf({ to, body, otpCode, validitySeconds }: SmsMessage) {
    const { config, statusCallback } = this.parts;
    return {
      to,
      body,
      ...config.sender,
      // Replaces what looks like a letter of GSM-7, such as a curly quote, which would make the text two.
      smartEncoded: true,
      riskCheck: 'enable' as const,
      ...(validitySeconds !== null && { validityPeriod: validitySeconds }),
      ...(statusCallback !== undefined && otpCode !== null && { statusCallback }),
    };
  }

  private created(message: SmsMessage, { sid, status, errorCode }: CreatedMessage): Tried {
    if (MADE_AND_FAILED.has(status)) {
      const facts = { to: maskPhoneNumber(message.to), sid, code: errorCode };
      return { ...this.failed(twilioError(errorCode), facts), moreTries: 0 };
    }
    const tell = () => {
      this.parts.alarm.clear();
      this.parts.log.info({ to: maskPhoneNumber(message.to), sid, purpose: message.purpose }, 'text sent');
    };
    return { outcome: { fate: 'accepted', messageSid: sid }, moreTries: 0, tell };
  }

  private refused(message: SmsMessage, refusal: TwilioRefusal): Tried {
    const { status, code, retryAfter } = refusal;
    const error = twilioErrorOf(status, code);
    const facts = { to: maskPhoneNumber(message.to), status, code, says: masked(refusal.message, message) };
    if (error.isUncertain) return this.uncertain(facts, refusal.hasMessage ? 0 : (error.tries ?? 0));
    return this.failed(error, facts, retryAfter);
  }

  private failed(error: TwilioError, facts: { code: number | undefined }, retryAfter?: number): Tried {
    const { answer, detail, isPumping, tries = 0 } = error;
    const outcome: SmsRefusal = {
      fate: 'refused',
      code: answer,
      ...(retryAfter !== undefined && { retryAfter: Math.max(1, retryAfter) }),
      ...(facts.code !== undefined && { providerCode: facts.code }),
      ...(isPumping && { reason: 'pumping' }),
      ...(detail !== undefined && { detail }),
    };
    return { outcome, moreTries: tries, tell: () => this.tell(error, facts) };
  }

  private unanswered(message: SmsMessage, error: unknown): Tried {
    const to = maskPhoneNumber(message.to);
    const says = error instanceof Error ? masked(error.message, message) : undefined;
    const { code } = (error instanceof NoAnswer ? error.cause : error) as { code?: unknown };
    if (!(error instanceof NoAnswer) || error.wasSent) return this.uncertain({ to, says, code }, 0);
    const tell = () =>
      this.parts.alarm.tell(
        'connection',
        { to, says, code },
        'Twilio cannot be reached: a text was not sent',
      );
    return { outcome: { fate: 'refused', code: 'sms_unavailable' }, moreTries: 1, tell };
  }

  private uncertain(facts: object, moreTries: number): Tried {
    const tell = () => this.parts.log.warn(facts, 'nobody knows whether a text was sent');
    return { outcome: { fate: 'unknown' }, moreTries, tell };
  }

  private tell(error: TwilioError, facts: { code: number | undefined; status?: number }): void {
    tellTwilioError(
      error,
      this.parts,
      { kind: `error ${facts.code ?? facts.status}`, facts },
      { operator: 'Twilio sends no texts until its setup is mended', otherwise: 'Twilio refused a text' },
    );
  }
}
