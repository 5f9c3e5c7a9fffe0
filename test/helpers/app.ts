import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomInt } from 'node:crypto';
import type { Browser } from 'puppeteer-core';
import type { EntityManager } from 'typeorm';

import type { Draw } from './pictures.js';

/** An app under test, started outside jest's vm. */
export interface StartedApp {
  url: string;
  database: string;
  /** The folder that pictures are kept in. */
  pictures: string;
  clock: StoppableClock;
  log: { lines: string[] };
  nest: NestFastifyApplication;
  provider<T>(file: string, name: string): Promise<T>;
  transaction<T>(work: (transaction: EntityManager) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TestClock {
  now(): Date;
  advance(seconds: number): void;
}

export interface StoppableClock extends TestClock {
  /** From now on it only moves when it is told to. */
  stop(): void;
}

export interface StartOptions {
  env?: Record<string, string>;
  database?: string;
  /** That of another replica; by default one of its own. */
  clock?: TestClock;
  codes?: (length: number) => string;
  send?: (message: SentText) => Promise<unknown>;
  /** Instead of the disk. */
  storage?: object;
  /** Where requests are counted. */
  rateLimits?: { increment(key: string, ...more: unknown[]): Promise<unknown> };
  hostModule?: [file: string, name: string];
  /** Handlers of jobs, by their names. */
  tasks?: Record<string, { handler: (payload: unknown) => Promise<void>; cron?: string }>;
  /** Whether the abuse policy is what it is by default; else it leaves tests alone. */
  isLimited?: boolean;
}

export interface SentText {
  to: string;
  body: string;
  purpose: string;
  otpCode: string;
}

interface HarnessInTests {
  start(options?: StartOptions): Promise<StartedApp>;
  closeApps(): Promise<void>;
  database(options?: { empty?: boolean }): Promise<string>;
  missingDatabase(): string;
  pendingSchemaChanges(database: string): Promise<string[]>;
  browser(): Promise<Browser>;
  script(database: string, texts: readonly string[]): Promise<Record<string, unknown>[]>;
  populate(database: string, users: number, now: Date): Promise<void>;
  s3(): Promise<string>;
  statements(work: () => Promise<unknown>): Promise<string[]>;
  queries(work: () => Promise<unknown>): Promise<SentQuery[]>;
  draw(): Promise<Draw>;
  load<Module>(file: string): Promise<Module>;
  sql<Row = Record<string, unknown>>(database: string, text: string, values?: unknown[]): Promise<Row[]>;
}

/** A statement as an app sent it. */
export interface SentQuery {
  name?: string;
  text: string;
  values: readonly unknown[];
}

export const harness = (globalThis as unknown as { harness: HarnessInTests }).harness;

export interface Answer {
  status: number;
  headers: Headers;
  // Tests look at what came over the wire, whatever it is.
  body: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** The app, and requests to it. */
export class TestApp {
  private constructor(readonly started: StartedApp) {}

  static async start(options?: StartOptions): Promise<TestApp> {
    return new TestApp(await harness.start(options));
  }

  /** A server that somebody else has started: requests to it, and its database. */
  static at(url: string, database: string): TestApp {
    return new TestApp({ url, database } as StartedApp);
  }

  /** Another instance on the same database, by the same clock. */
  replica(options?: StartOptions): Promise<TestApp> {
    return TestApp.start({ ...options, database: this.started.database, clock: this.clock });
  }

  /** A database of the newest schema that no other test uses. */
  freshDatabase(): Promise<string> {
    return harness.database();
  }

  get clock(): StoppableClock {
    return this.started.clock;
  }

  /** `raw` goes out as it is; text is said to be JSON, bytes are said to be nothing. */
  async request(
    method: string,
    path: string,
    init: { body?: unknown; raw?: BodyInit; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const body = init.body === undefined ? init.raw : JSON.stringify(init.body);
    const response = await fetch(`${this.started.url}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...(typeof body === 'string' && { 'content-type': 'application/json' }), ...init.headers },
      ...(body !== undefined && { body }),
    });
    return toAnswer(response);
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.request('GET', path, { ...(headers && { headers }) });
  }

  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.request('POST', path, { body, ...(headers && { headers }) });
  }

  signup(phoneNumber: string, more: Record<string, unknown> = {}): Promise<Answer> {
    return this.post('/api/auth/signup', { phone_number: phoneNumber, ...more });
  }

  verify(phoneNumber: string, code: string, more: Record<string, unknown> = {}): Promise<Answer> {
    return this.post('/api/auth/verify-otp', { phone_number: phoneNumber, otp_code: code, ...more });
  }

  /** The texts to a number in the inbox, newest first. */
  async texts(phoneNumber: string): Promise<{ body: string; otp_code: string; purpose: string }[]> {
    const { body } = await this.get(`/dev/inbox/messages?to=${encodeURIComponent(phoneNumber)}&limit=1000`);
    return body.items;
  }

  /** As if the codes so far had been sent an hour ago: the next one has nothing to wait for. */
  async endWaits(): Promise<void> {
    await this.sql(`UPDATE phone_sends SET sent_at = sent_at - interval '1 hour'`);
    // What was counted for that time would else look as if nobody had entered the codes, and open a breaker.
    await this.sql('UPDATE send_counters SET verified = sends, new_verified = new_sends');
  }

  /** The code of the newest text to a number. */
  async code(phoneNumber: string): Promise<string> {
    const [newest] = await this.texts(phoneNumber);
    if (!newest) throw new Error('no text was sent to that number');
    return newest.otp_code;
  }

  /** Signs in, and answers what verify answered. */
  async signIn(phoneNumber = aPhoneNumber(), more: Record<string, unknown> = {}): Promise<SignedInUser> {
    expectStatus(await this.signup(phoneNumber, more), 200);
    const { body } = expectStatus(await this.verify(phoneNumber, await this.code(phoneNumber)), 200);
    return toSignedIn(phoneNumber, body);
  }

  jobs(): Promise<JobsInTests> {
    return this.started.provider('platform/jobs/jobs.js', 'Jobs');
  }

  /** Runs the handler of a task now, past the queue, and waits for its end. */
  async runJob(task: string, payload: object = {}): Promise<void> {
    const found = (await this.jobs()).seal().get(task);
    if (!found) throw new Error(`there is no task ${task}`);
    await found.handler(payload);
  }

  sql<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]> {
    return harness.sql<Row>(this.started.database, text, values);
  }
}

interface JobsInTests {
  add(
    transaction: EntityManager,
    task: string,
    payload: object,
    options?: { jobKey?: string },
  ): Promise<void>;
  seal(): ReadonlyMap<string, { handler: (payload: unknown) => Promise<void>; isDue?: unknown }>;
}

export interface SignedInUser {
  phoneNumber: string;
  id: string;
  accessToken: string;
  refreshToken: string;
  bearer: { authorization: string };
}

/** What verify answered. */
export function toSignedIn(phoneNumber: string, body: Answer['body']): SignedInUser {
  const { user, access_token: accessToken, refresh_token: refreshToken } = body;
  const bearer = { authorization: `Bearer ${accessToken}` };
  return { phoneNumber, id: user.id, accessToken, refreshToken, bearer };
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  // An answer to HEAD is said to be JSON, and is nothing.
  const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status !== status) {
    throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return answer;
}

/** A mobile number of Brazil that no other test has. */
export function aPhoneNumber(): string {
  return `+55119${randomInt(60_000_000, 99_999_999)}`;
}

/** A code of the same length that is not this one. */
export function aWrongCode(code: string): string {
  return String((Number(code) + 1) % 10 ** code.length).padStart(code.length, '0');
}

/** What a problem of this code looks like. */
export function problem(code: string, members: Record<string, unknown> = {}): unknown {
  return expect.objectContaining({ code, request_id: expect.any(String), ...members });
}

/** Fails unless the answer is that problem, in status, headers and body. */
export function expectProblem(
  { status, headers, body }: Answer,
  expected: { status: number; code: string } & Record<string, unknown>,
): void {
  const type = expect.stringMatching(`^http://[^/]+/docs/errors#${expected.code}$`);
  const texts = { title: expect.any(String), detail: expect.any(String) };
  expect({ status, body }).toEqual({
    status: expected.status,
    body: { type, ...texts, ...expected, request_id: headers.get('x-request-id') },
  });
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
}

/** How many answers there are of each status, e.g. `{ 200: 1, 429: 39 }`. */
export function tally(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The same request so many times at once. */
export function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}
