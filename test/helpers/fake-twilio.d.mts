import type { IncomingHttpHeaders } from 'node:http';

export const ACCOUNT_SID: string;
export const AUTH_TOKEN: string;
export const MESSAGING_SERVICE_SID: string;

/** What a number is answered. */
export type ScriptedAnswer =
  | 'created'
  /** The connection stays, and nothing comes. */
  | 'hang'
  /** The connection ends once the request is read. */
  | 'drop'
  /** It ends in the middle of the answer. */
  | 'cut'
  /** Members of the message that are otherwise, after so many milliseconds. */
  | { slow?: number; message?: Record<string, unknown> }
  | { code: number; status?: number; message?: string; retryAfter?: number }
  | { status: number; html: string }
  | { status: number; json: unknown };

export interface TwilioRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  form: Record<string, string>;
  /** Of the message that it made. */
  sid?: string;
}

export interface Report {
  /** The status callback that the text asked for. */
  url: string;
  sid: string;
  status: string;
  errorCode?: number | undefined;
  /** Signs it. */
  token?: string;
  accountSid?: string;
  /** Behind the URL, from its question mark. */
  query?: string;
  /** Instead of the right one; null: none. */
  signature?: string | null;
}

export class FakeTwilio {
  static start(options?: { user?: string; password?: string }): Promise<FakeTwilio>;
  readonly url: string;
  readonly requests: TwilioRequest[];
  environment(more?: Record<string, string>): Record<string, string>;
  script(to: string, ...answers: ScriptedAnswer[]): void;
  of(to: string): TwilioRequest[];
  code(to: string): string | undefined;
  report(appUrl: string, report: Report): Promise<Response>;
  stop(): Promise<void>;
}
