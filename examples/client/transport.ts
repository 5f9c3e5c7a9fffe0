export interface TransportOptions {
  url: string;
  /** How often a request is sent before its failure is the caller's. */
  attempts?: number;
  /** For each of them, in milliseconds. */
  timeout?: number;
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  sleep?: (milliseconds: number) => Promise<void>;
}

export interface RequestOptions {
  /** `GET`, or `POST` where there is a body. */
  method?: string;
  json?: unknown;
  form?: FormData;
  headers?: Record<string, string>;
  /** Makes a `POST` or `PATCH` one that may be sent again, for routes that know the header. */
  idempotencyKey?: string;
}

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** A refusal. Decide by `code`: the server's (RFC 9457), or `unreachable`, `signed_out`, `http_<status>`. */
export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError';
  /** 0 where nothing was answered. */
  readonly status: number;
  /** With `attempts_remaining`, `errors`, `request_id`, and what else the answer says. */
  readonly problem: Record<string, unknown>;
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: string,
    about: { status?: number; problem?: Record<string, unknown>; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(code, { cause: about.cause });
    this.status = about.status ?? 0;
    this.problem = about.problem ?? {};
    this.retryAfter = about.retryAfter;
  }
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

const DEFAULTS = {
  attempts: 5,
  timeout: 20_000,
  fetch: (url: string, init: RequestInit) => fetch(url, init),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

/** Sends requests over a network that loses some, and some of their answers. */
export class Transport {
  private readonly options: TransportOptions & typeof DEFAULTS;

  constructor(options: TransportOptions) {
    this.options = { ...DEFAULTS, ...options };
  }

  /** Sends a request until it is answered: always the same one, under the same key. */
  async send<T>(path: string, options: RequestOptions, accessToken?: string): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.sendOnce<T>(path, options, accessToken);
      } catch (error) {
        const pause = attempt < this.options.attempts ? pauseAfter(error, attempt, options) : undefined;
        if (pause === undefined) throw error;
        await this.options.sleep(pause);
      }
    }
  }

  private async sendOnce<T>(path: string, options: RequestOptions, accessToken?: string): Promise<Answer<T>> {
    const { json, form, idempotencyKey } = options;
    const headers = {
      ...(json !== undefined && { 'Content-Type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
      ...(accessToken !== undefined && { Authorization: `Bearer ${accessToken}` }),
      ...options.headers,
    };
    const body = json === undefined ? (form ?? null) : JSON.stringify(json);
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), this.options.timeout);
    try {
      const init = { method: methodOf(options), headers, body, signal: timeout.signal };
      const response = await this.options.fetch(this.options.url + path, init);
      // Read here, as an answer can break off in the middle.
      const text = await response.text();
      if (response.status >= 400) throw toError(response, text);
      // What is no JSON is not the server's, but of a network that wants a login of its own.
      const parsed = (text === '' ? undefined : JSON.parse(text)) as T;
      return { status: response.status, headers: response.headers, body: parsed };
    } catch (error) {
      throw error instanceof LatchkeyError ? error : new LatchkeyError('unreachable', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

function methodOf({ method, json, form }: RequestOptions): string {
  return method ?? (json === undefined && form === undefined ? 'GET' : 'POST');
}

/** Milliseconds until it makes sense to send the same again; undefined where it makes none, or may do it twice. */
function pauseAfter(error: unknown, attempt: number, options: RequestOptions): number | undefined {
  if (!(error instanceof LatchkeyError)) return undefined;
  const { code, status, retryAfter = 0 } = error;
  const isSafe = options.idempotencyKey !== undefined || !/^(POST|PATCH)$/.test(methodOf(options));
  const mayPass = status === 429 || (isSafe && (status === 0 || status >= 500));
  // Whether another code is to be texted is for the user to say.
  if (!mayPass || /^(otp|sms)_/.test(code) || retryAfter * 1000 > LONGEST_PAUSE) return undefined;
  const growing = Math.min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE);
  // By chance a little more or less, so that a thousand phones do not come back at once.
  return retryAfter * 1000 + growing * (0.5 + Math.random() / 2);
}

function toError({ status, headers }: Response, text: string): LatchkeyError {
  const problem = parseObject(text);
  const code = typeof problem.code === 'string' ? problem.code : `http_${status}`;
  const retryAfter = Number.parseInt(headers.get('Retry-After') ?? '', 10);
  return new LatchkeyError(code, { status, problem, ...(!Number.isNaN(retryAfter) && { retryAfter }) });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
