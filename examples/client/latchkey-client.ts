import {
  type Answer,
  LatchkeyError,
  type RequestOptions,
  Transport,
  type TransportOptions,
} from './transport.js';

/** What outlives the app. It is a secret as a whole: keep it in the Keychain or the Keystore, as one value. */
export interface Stored {
  refreshToken?: string;
  /** The `Idempotency-Key` of a refresh that has no answer yet. */
  refreshKey?: string | undefined;
  /** Says that this device signed in before; stays over a logout. */
  deviceToken?: string | undefined;
  /** A sign-in under way: users leave the app to read the code, and the system may end it meanwhile. */
  signIn?: { phoneNumber: string; verifier: string; signUpKey?: string | undefined; verifyKey: string };
}

/** Of one client alone: two would refresh the same token. */
export interface TokenStore {
  load(): Promise<Stored | undefined>;
  /** Replaces everything at once, and resolves when it is written. */
  save(stored: Stored): Promise<void>;
}

export interface ClientOptions extends TransportOptions {
  store: TokenStore;
  /** Told once when a session is over that the user did not end, with the `code` that said so. */
  onSignedOut?: (code: string) => void;
  /** `ios`, `android`, or a name that the server knows: for the text. */
  app?: string;
  /** Milliseconds. Only differences matter, so a phone's clock may be wrong. */
  now?: () => number;
}

export interface CodeSent {
  phone_number: string;
  code_length: number;
  expires_in: number;
  resend_in: number;
  attempts: number;
}

export interface Tokens {
  access_token: string;
  expires_in: number;
  refresh_token: string;
}

export interface SignedIn extends Tokens {
  device_token: string;
  is_new_user: boolean;
  needs_profile_completion: boolean;
  user: { id: string; phone_number: string; name: string | null };
}

/** The part of its life for which an access token is used; then it is refreshed ahead of its end. */
const FRESH_PART = 0.9;

/**
 * Signs a user in by phone, and keeps them signed in. To be copied into an app, with transport.ts: it needs `fetch` and
 * WebCrypto as globals, and nothing else. (React Native has no WebCrypto of its own; react-native-quick-crypto is one.)
 *
 *     const latchkey = new LatchkeyClient({ url: 'https://api.example.com', store, onSignedOut: showSignIn });
 *     const { code_length } = await latchkey.signUp('+1 415 555 2671');
 *     const { user } = await latchkey.verify('4821', "Ana's phone");
 *     const { body } = await latchkey.request<Profile>('/api/auth/profile');
 */
export class LatchkeyClient {
  private readonly transport: Transport;
  private readonly store: TokenStore;
  private readonly now: () => number;
  private access: { token: string; freshUntil: number } | undefined;
  private refreshing: Promise<string> | undefined;
  private lastTurn: Promise<unknown> = Promise.resolve();
  /** Moves on with each sign-in and logout, so that no request goes out in the name of somebody else. */
  private session = 0;

  constructor(private readonly options: ClientOptions) {
    this.transport = new Transport(options);
    this.store = options.store;
    this.now = options.now ?? (() => Date.now());
  }

  /** Has a code texted; call it again for another one. What got no answer is repeated under its first key. */
  signUp(phoneNumber: string): Promise<CodeSent> {
    return this.inTurn(async () => {
      const stored = await this.load();
      const pending = stored.signIn ?? { verifier: randomText(), verifyKey: randomText() };
      const unanswered = stored.signIn?.phoneNumber === phoneNumber ? stored.signIn.signUpKey : undefined;
      const idempotencyKey = unanswered ?? randomText();
      await this.store.save({ ...stored, signIn: { ...pending, phoneNumber, signUpKey: idempotencyKey } });
      const json = {
        phone_number: phoneNumber,
        code_challenge: await challengeOf(pending.verifier),
        device_token: stored.deviceToken,
        app: this.options.app,
      };
      const { body } = await this.transport.send<CodeSent>('/api/auth/signup', { json, idempotencyKey });
      const signIn = { ...pending, phoneNumber: body.phone_number, signUpKey: undefined };
      await this.store.save({ ...stored, signIn });
      return body;
    });
  }

  /** Trades the code for a session. All guesses go under one key: it brings back the session, never a guess. */
  verify(code: string, deviceName?: string): Promise<SignedIn> {
    return this.inTurn(async () => {
      const { signIn } = await this.load();
      if (!signIn) throw new LatchkeyError('otp_not_found');
      const { phoneNumber, verifier, verifyKey: idempotencyKey } = signIn;
      const json = {
        phone_number: phoneNumber,
        otp_code: code,
        code_verifier: verifier,
        device_name: deviceName,
      };
      const sentAt = this.now();
      const { body } = await this.transport.send<SignedIn>('/api/auth/verify-otp', { json, idempotencyKey });
      this.leaveSession();
      await this.keep(body, { deviceToken: body.device_token }, sentAt);
      return body;
    });
  }

  async isSignedIn(): Promise<boolean> {
    return (await this.load()).refreshToken !== undefined;
  }

  /** Forgets the session, whatever the network does, and then has the server end it. */
  async signOut(): Promise<void> {
    const refreshToken = await this.inTurn(async () => {
      const stored = await this.load();
      await this.forget(stored);
      return stored.refreshToken;
    });
    if (refreshToken === undefined) return;
    const json = { refresh_token: refreshToken };
    // The server needs no key for it; the transport does, to know that it may be sent again.
    await this.transport.send('/api/auth/logout', { json, idempotencyKey: randomText() });
  }

  /** Sends a request with the access token. What the server may have done is sent again only where that is safe. */
  async request<T>(path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    const { session } = this;
    let token: string | undefined;
    for (let isRepeat = false; ; isRepeat = true) {
      token = await this.accessToken(token);
      if (session !== this.session) throw new LatchkeyError('signed_out');
      try {
        return await this.transport.send<T>(path, options, token);
      } catch (error) {
        if (isRepeat || !isOneOf(error, 'access_token_expired', 'access_token_invalid')) throw error;
      }
    }
  }

  /** One that is fresh, and not the one that was refused. However many ask for it, one refresh is under way. */
  private async accessToken(refused?: string): Promise<string> {
    const { access } = this;
    if (access && access.token !== refused && this.now() < access.freshUntil) return access.token;
    this.refreshing ??= this.inTurn(() => this.refresh()).finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async refresh(): Promise<string> {
    const stored = await this.load();
    const { refreshToken, refreshKey: idempotencyKey = randomText() } = stored;
    if (refreshToken === undefined) throw new LatchkeyError('signed_out');
    // Written before it is sent: an app that is killed now repeats this refresh, under this key, once it is back.
    await this.store.save({ ...stored, refreshKey: idempotencyKey });
    const json = { refresh_token: refreshToken };
    const sentAt = this.now();
    try {
      const { body } = await this.transport.send<Tokens>('/api/auth/refresh', { json, idempotencyKey });
      return await this.keep(body, { ...stored, refreshKey: undefined }, sentAt);
    } catch (error) {
      // Anything else may pass: then the token and its key stay for the next time.
      if (isOneOf(error, 'refresh_token_invalid', 'refresh_token_reused')) {
        await this.forget(stored);
        this.options.onSignedOut?.(error.code);
      }
      throw error;
    }
  }

  private async keep(tokens: Tokens, stored: Stored, sentAt: number): Promise<string> {
    // Written before the access token is used: nothing is done in a session that a killed app could not come back to.
    await this.store.save({ ...stored, refreshToken: tokens.refresh_token });
    const freshUntil = sentAt + tokens.expires_in * 1000 * FRESH_PART;
    this.access = { token: tokens.access_token, freshUntil };
    return tokens.access_token;
  }

  private async forget({ deviceToken }: Stored): Promise<void> {
    this.leaveSession();
    await this.store.save({ deviceToken });
  }

  private leaveSession(): void {
    this.session += 1;
    this.access = undefined;
  }

  private async load(): Promise<Stored> {
    return (await this.store.load()) ?? {};
  }

  /** One after the other, as each of them reads what is stored, and writes it. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.lastTurn.then(work);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

function isOneOf(error: unknown, ...codes: string[]): error is LatchkeyError {
  return error instanceof LatchkeyError && codes.includes(error.code);
}

/** Base64url of its SHA-256 (RFC 7636, S256). */
async function challengeOf(verifier: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(hash));
}

/** 32 random bytes: good for a `code_verifier` and for an `Idempotency-Key`. */
function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
