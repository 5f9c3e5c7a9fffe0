import { aPhoneNumber, type TestApp } from './app.js';
import type { FakeTwilio, Report } from './fake-twilio.mjs';

export const PUBLIC_URL = 'https://id.example.com';
export const URL_OF_REPORTS = `${PUBLIC_URL}/api/webhooks/twilio/status`;

/** A text with a code, as the fake has it. */
export interface Text {
  phone: string;
  sid: string;
}

/** What an app keeps of its delivery. */
export interface Kept {
  delivery_status: string | null;
  delivery_error: number | null;
  delivered_at: Date | null;
}

/** Texts that an app sends by the fake, and what the fake reports of them. */
export class Receipts {
  constructor(
    private readonly app: TestApp,
    private readonly twilio: FakeTwilio,
  ) {}

  readonly aText = async (phone = aPhoneNumber()): Promise<Text> => {
    expect((await this.app.signup(phone)).status).toBe(200);
    return { phone, sid: this.twilio.of(phone).at(-1)?.sid ?? '' };
  };

  /** @returns the status that it is answered with. */
  readonly report = async (
    { sid }: Pick<Text, 'sid'>,
    status: string,
    more: Partial<Report> = {},
  ): Promise<number> => {
    const answer = await this.twilio.report(this.app.started.url, {
      url: URL_OF_REPORTS,
      sid,
      status,
      ...more,
    });
    return answer.status;
  };

  readonly kept = async ({ sid }: Text): Promise<Kept> => {
    const rows = await this.app.sql<Kept>(
      'SELECT delivery_status, delivery_error, delivered_at FROM phone_otps WHERE message_sid = $1',
      [sid],
    );
    expect(rows).toHaveLength(1);
    return rows[0] as Kept;
  };
}
