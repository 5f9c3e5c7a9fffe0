import { type Answer, harness, TestApp } from '../app.js';
import { Addresses } from './addresses.js';
import { Lanes } from './lanes.js';
import { DAY, Timeline } from './timeline.js';

export interface Refusal {
  /** Of the problem. */
  code: string;
  /** Seconds; 0 where the answer does not say. */
  retryAfter: number;
}

/** What came of asking for a code. */
export type Asked = { sent: { id: number; length: number } } | { sent?: undefined; refusal: Refusal };

/** What came of a guess. */
export type Guessed =
  | { signedIn: { deviceToken: string; accessToken: string } }
  | { signedIn?: undefined; isTaken: boolean; refusal: Refusal };

export interface Asking {
  /** The client's address. */
  from: string;
  challenge?: string | undefined;
  deviceToken?: string | undefined;
}

export interface Guessing {
  from: string;
  verifier?: string | undefined;
}

// Requests under way at once.
const LANES = 10;

/**
 * The service with people around it: its own statements on rows of its own, clients with addresses of theirs, texts
 * that only the owners of numbers read, and a clock that stands still between steps. Codes never begin with 0 and
 * guesses of attackers do, so that luck decides nothing: it is reckoned from what was taken.
 */
export class World {
  readonly addresses = new Addresses();
  readonly timeline: Timeline;
  private readonly lanes = new Lanes(LANES);
  private asked = 0;
  private numbers = 0;

  private constructor(
    readonly app: TestApp,
    private readonly texts: ReadonlyMap<string, string>,
  ) {
    this.timeline = new Timeline(app.clock);
  }

  /** Begins at midnight (UTC). */
  static async begin(env: Record<string, string> = {}): Promise<World> {
    const texts = new Map<string, string>();
    const app = await TestApp.start({
      env: { TRUST_PROXY: '127.0.0.1', LOG_LEVEL: 'error', DATABASE_POOL_SIZE: '10', ...env },
      isLimited: true,
      database: await harness.database(),
      codes: (length) => String(10 ** (length - 1) + Math.floor(Math.random() * 9 * 10 ** (length - 1))),
      send: ({ to, otpCode }) => {
        texts.set(to, otpCode);
        return Promise.resolve({ fate: 'accepted' });
      },
    });
    const world = new World(app, texts);
    app.clock.advance(DAY - ((app.clock.now().getTime() / 1000) % DAY));
    return world;
  }

  /** A mobile number of Brazil that nobody has had yet; those around it are others'. */
  freshNumber(): string {
    this.numbers += 1;
    // The step has no divisor in common with their count, so that none comes twice.
    return `+55119${60_000_000 + ((this.numbers * 7_654_321) % 40_000_000)}`;
  }

  /** Asks for a code to sign in with. */
  async ask(phoneNumber: string, { from, challenge, deviceToken }: Asking): Promise<Asked> {
    const body = {
      phone_number: phoneNumber,
      ...(challenge !== undefined && { code_challenge: challenge }),
      ...(deviceToken !== undefined && { device_token: deviceToken }),
    };
    return this.toAsked(await this.post('/api/auth/signup', body, from));
  }

  /** Asks for a code to move the account of that session to a number with. */
  async askToMove(phoneNumber: string, { from, bearer }: { from: string; bearer: string }): Promise<Asked> {
    return this.toAsked(
      await this.post('/api/auth/phone-number', { phone_number: phoneNumber }, from, bearer),
    );
  }

  async guess(phoneNumber: string, code: string, { from, verifier }: Guessing): Promise<Guessed> {
    const body = {
      phone_number: phoneNumber,
      otp_code: code,
      ...(verifier !== undefined && { code_verifier: verifier }),
    };
    return toGuessed(await this.post('/api/auth/verify-otp', body, from));
  }

  async guessToMove(
    phoneNumber: string,
    code: string,
    { from, bearer }: { from: string; bearer: string },
  ): Promise<Guessed> {
    const body = { phone_number: phoneNumber, otp_code: code };
    return toGuessed(await this.post('/api/auth/phone-number/verify', body, from, bearer));
  }

  /** The code of the newest text to a number. Only its owner may look. */
  read(phoneNumber: string): string {
    const code = this.texts.get(phoneNumber);
    if (code === undefined) throw new Error('no text has come to that number');
    return code;
  }

  /** Does, once a day until then, what the schedule of jobs would. */
  async housekeeping(until: number): Promise<void> {
    const tasks = (await this.app.jobs()).seal();
    for (;;) {
      await this.timeline.sleep(DAY);
      if (this.timeline.now >= until) return;
      for (const [name, { isDue }] of tasks) if (isDue) await this.app.runJob(name);
    }
  }

  private toAsked(answer: Answer): Asked {
    if (answer.status !== 200) return { refusal: toRefusal(answer) };
    this.asked += 1;
    return { sent: { id: this.asked, length: answer.body.code_length } };
  }

  private post(path: string, body: object, from: string, bearer?: string): Promise<Answer> {
    const headers = { 'x-forwarded-for': from, ...(bearer && { authorization: `Bearer ${bearer}` }) };
    return this.lanes.drive(() => this.app.post(path, body, headers));
  }
}

function toGuessed(answer: Answer): Guessed {
  const { status, body } = answer;
  if (status !== 200) {
    // The last guess on a code is told as any other; the next one that there are none left.
    return { isTaken: body.code === 'otp_invalid', refusal: toRefusal(answer) };
  }
  return { signedIn: { deviceToken: body.device_token, accessToken: body.access_token } };
}

function toRefusal({ status, headers, body }: Answer): Refusal {
  if (status >= 500 && status !== 503) throw new Error(`the service failed: ${JSON.stringify(body)}`);
  return { code: body.code, retryAfter: Number(headers.get('retry-after') ?? 0) };
}
