import type * as ClientModule from '../../examples/client/latchkey-client.js';
import { harness } from './app.js';

export interface PhoneOptions {
  url: string;
  now?: () => number;
  attempts?: number;
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Told of each pause of the client, in milliseconds; it takes no time. */
  onPause?: (milliseconds: number) => void;
  /** Told of what is about to be written to the keychain. */
  onSave?: (stored: ClientModule.Stored) => void;
}

/** A phone that runs the example client in its app: the keychain outlives the app, which can be killed at any moment. */
export class Phone {
  app!: ClientModule.LatchkeyClient;
  /** Stops the app that runs: whatever it waits for, it gets no further. */
  kill!: () => void;
  /** Resolves when that has happened. */
  killed!: Promise<void>;
  /** What apps were told when their session was over. */
  readonly signedOut: string[] = [];
  /** Every refresh token that was ever written to the keychain. */
  readonly refreshTokens = new Set<string>();
  private keychain = '{}';

  private constructor(
    private readonly client: typeof ClientModule,
    private options: PhoneOptions,
  ) {
    this.launch();
  }

  static async with(options: PhoneOptions): Promise<Phone> {
    return new Phone(await harness.load('examples/client/latchkey-client.js'), options);
  }

  get stored(): ClientModule.Stored {
    return JSON.parse(this.keychain);
  }

  /** Starts the app, with the same options but for these. */
  launch(changes: Partial<PhoneOptions> = {}): void {
    this.options = { ...this.options, ...changes };
    let isAlive = true;
    this.killed = new Promise((resolve) => {
      this.kill = () => {
        isAlive = false;
        resolve();
      };
    });
    // Takes its time, so that a client that does not wait for its keychain is found out.
    const whileAlive = async <T>(work: () => T | Promise<T>): Promise<T> => {
      for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
      const done = isAlive && (await work());
      return isAlive ? (done as T) : new Promise<never>(() => undefined);
    };
    const { onPause, onSave, fetch: send = fetch, ...options } = this.options;
    this.app = new this.client.LatchkeyClient({
      ...options,
      onSignedOut: (code) => this.signedOut.push(code),
      fetch: async (url, init) => {
        const response = isAlive && (await send(url, init));
        // Fails for a killed app instead of hanging, so that its time limit does not go on.
        if (!isAlive || !response) throw new Error('the app was killed');
        return response;
      },
      sleep: (milliseconds) => whileAlive(() => onPause?.(milliseconds)),
      store: {
        load: () => whileAlive(() => this.stored),
        save: (stored) =>
          whileAlive(() => {
            onSave?.(stored);
            if (isAlive) this.write(stored);
          }),
      },
    });
  }

  private write(stored: ClientModule.Stored): void {
    this.keychain = JSON.stringify(stored);
    if (stored.refreshToken) this.refreshTokens.add(stored.refreshToken);
  }
}
