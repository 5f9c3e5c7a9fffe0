import twilio from 'twilio';
import type { MessageListInstanceCreateOptions } from 'twilio/lib/rest/api/v2010/account/message.js';

import type { TwilioConfig } from './twilio.config.js';
import { type HttpAnswer, TwilioHttp } from './twilio-http.js';

type HttpClient = InstanceType<typeof twilio.RequestClient>;
type HttpRequest = Parameters<HttpClient['request']>[0];

/** Twilio has answered with an error. Its body is read with care: it may be HTML, or of a gateway. */
export class TwilioRefusal extends Error {
  override readonly name = 'TwilioRefusal';
  readonly code: number | undefined;
  /** Whether a text was made in spite of the error. */
  readonly hasMessage: boolean;
  /** Whole seconds. */
  readonly retryAfter: number | undefined;

  constructor(
    readonly status: number,
    { headers, body }: Pick<HttpAnswer, 'headers' | 'body'>,
  ) {
    const { code, message, sid } = parsed(body);
    super(typeof message === 'string' ? message : `HTTP ${status}`);
    this.code = typeof code === 'number' && Number.isInteger(code) ? code : undefined;
    this.hasMessage = typeof sid === 'string';
    const seconds = headers['retry-after'];
    this.retryAfter = typeof seconds === 'string' && /^\d{1,4}$/.test(seconds) ? Number(seconds) : undefined;
  }
}

/** What Twilio made of a text. */
export interface CreatedMessage {
  sid: string;
  status: string;
  errorCode: number | undefined;
}

/** The Messages resource of Twilio's API, by its SDK over a connection of our own. */
export class TwilioApi {
  private readonly http: TwilioHttp;
  private readonly user: { name: string; password: string };

  constructor(private readonly config: TwilioConfig) {
    const { apiKey, accountSid, authTokens } = config;
    this.http = new TwilioHttp(config.apiBaseUrl);
    this.user = apiKey
      ? { name: apiKey.sid, password: apiKey.secret }
      : { name: accountSid, password: authTokens[0] ?? '' };
  }

  /** @throws {TwilioRefusal} @throws {NoAnswer} @throws {Error} where the answer is none of Twilio's. */
  async createMessage(
    message: MessageListInstanceCreateOptions,
    { timeoutMs }: { timeoutMs: number },
  ): Promise<CreatedMessage> {
    const client = twilio(this.user.name, this.user.password, {
      accountSid: this.config.accountSid,
      // The SDK calls nothing else of it.
      httpClient: { request: (request: HttpRequest) => this.request(request, timeoutMs) } as HttpClient,
    });
    const { sid, status, errorCode } = await client.messages.create(message);
    if (typeof sid !== 'string' || sid.length > 64) throw new Error('the answer has no message');
    return { sid, status, errorCode: typeof errorCode === 'number' ? errorCode : undefined };
  }

  private async request({ uri, username, password, headers, data }: HttpRequest, timeoutMs: number) {
    // The SDK knows one base URL, and changes its host by variables of the environment that are not ours.
    const { pathname } = new URL(uri);
    const answer = await this.http.post(pathname, {
      headers: {
        ...(headers as Record<string, string>),
        Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      },
      body: new URLSearchParams(formOf(data as object)).toString(),
      timeoutMs,
    });
    if (answer.status < 200 || answer.status > 299) throw new TwilioRefusal(answer.status, answer);
    return { statusCode: answer.status, body: answer.body, headers: answer.headers };
  }
}

function formOf(data: object): [string, string][] {
  return Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)]);
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
