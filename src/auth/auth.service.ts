import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { DeviceTokens } from '../otp/device-tokens.js';
import { OtpGuesses, type RedeemedOtp } from '../otp/otp-guesses.service.js';
import type { OtpRequest, OtpSent } from '../otp/otp-request.js';
import { OtpRequests } from '../otp/otp-requests.service.js';
import { type Clock, CLOCK } from '../platform/clock.js';
import type { ClientInfo } from '../platform/http/client-info.decorator.js';
import type { Caller } from '../platform/http/current-user.decorator.js';
import { Problem } from '../platform/http/problem.js';
import type { Profile } from '../users/profile.js';
import { UserNumbers } from '../users/user-numbers.js';
import { UsersService } from '../users/users.service.js';
import { SignInAccounts } from './sign-in-accounts.js';
import { LiveSessions } from './sessions/live-sessions.js';
import { SessionEndings } from './sessions/session-endings.service.js';
import { SessionMetrics } from './sessions/session-metrics.js';
import type { SessionRow } from './sessions/session-rows.js';
import { SessionsService, type Tokens } from './sessions/sessions.service.js';

export interface SignInGuess {
  phoneNumber: string;
  code: string;
  codeVerifier: string | undefined;
  deviceName: string | null;
}

export interface SignedIn {
  tokens: Tokens;
  deviceToken: string;
  isNewUser: boolean;
  profile: Profile;
}

/** What a right code has opened. */
interface OpenedSession {
  sessionId: string;
  session: SessionRow;
  profile: Profile;
  roles: readonly string[];
  isNew: boolean;
  /** Ids of sessions that gave way to it. */
  ended: string[];
  /** See {@link OpenedAccount}. */
  replacedId: string | undefined;
  /** Whether an earlier request has opened it. */
  isRepeated: boolean;
}

/** The sign-in flow: a code is asked for, and traded for a session. */
@Injectable()
export class AuthService {
  constructor(
    private readonly requests: OtpRequests,
    private readonly guesses: OtpGuesses,
    private readonly deviceTokens: DeviceTokens,
    private readonly users: UsersService,
    private readonly numbers: UserNumbers,
    private readonly accounts: SignInAccounts,
    private readonly sessions: SessionsService,
    private readonly endings: SessionEndings,
    private readonly live: LiveSessions,
    private readonly metrics: SessionMetrics,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Texts a code. The answer is the same for numbers with and without an account. */
  signUp(request: Omit<OtpRequest, 'purpose' | 'userId' | 'findOwner'>): Promise<OtpSent> {
    const findOwner = (phoneNumber: string) => this.numbers.ownerOf(phoneNumber);
    return this.requests.request({ ...request, purpose: 'sign_in', findOwner });
  }

  /**
   * Ends the session of an access token or of a refresh token; nothing is told of the latter.
   *
   * @throws {Problem} `access_token_invalid` where there is neither.
   */
  async logOut(
    caller: Caller | undefined,
    refreshToken: string | undefined,
    client: ClientInfo,
  ): Promise<void> {
    if (caller) await this.endings.logOut(caller, client);
    else if (refreshToken !== undefined) await this.endings.logOutByToken(refreshToken, client);
    else throw new Problem('access_token_invalid');
  }

  /**
   * Trades a right code for a session; the user is made if the number is new.
   *
   * @param idempotencyKey with it, a repeat within 60 seconds answers the same session, until that is refreshed.
   */
  async verify(
    { deviceName, ...guess }: SignInGuess,
    client: ClientInfo,
    idempotencyKey?: string,
  ): Promise<SignedIn> {
    const now = this.clock.now();
    const asked = this.live.moment();
    const signInGuess = { ...guess, clientIp: client.ip, purpose: 'sign_in' as const };
    const refusal: { code: 'account_suspended' | 'otp_not_found' } = { code: 'account_suspended' };
    const work = async (transaction: EntityManager, otp: RedeemedOtp): Promise<OpenedSession | undefined> => {
      const account = await this.accounts.open(transaction, otp, { client, now });
      if (!account) refusal.code = 'otp_not_found';
      if (account?.user.status !== 'active') return undefined;
      const { user, replacedId } = account;
      const { profile, roles, isNew } = user;
      const start = { userId: profile.userId, codeLength: otp.codeLength, deviceName, client, now };
      const { session, ended } = await this.sessions.open(transaction, start);
      return { sessionId: session.id, session, profile, roles, isNew, ended, replacedId, isRepeated: false };
    };
    const repeat = (transaction: EntityManager, sessionId: string) =>
      this.repeat(transaction, sessionId, now);
    const opened = idempotencyKey
      ? await this.guesses.redeemOnce(signInGuess, idempotencyKey, { repeat, work })
      : await this.guesses.redeem(signInGuess, work);
    // Thrown after the commit: a right code is used up, whatever it opened.
    if (!opened) {
      if (refusal.code === 'account_suspended') this.metrics.signedIn('suspended');
      throw new Problem(refusal.code);
    }
    const { session, ended, replacedId, profile, roles, isNew: isNewUser, isRepeated } = opened;
    if (!isRepeated) this.metrics.signedIn(isNewUser ? 'new_user' : 'known_user');
    this.live.remember({ ...session, roles }, now, asked);
    if (ended.length > 0) this.live.forget(ended);
    if (replacedId !== undefined) this.live.forgetUser(replacedId);
    this.metrics.ended('limit', ended.length);
    return {
      tokens: this.sessions.tokens(session, { roles, client, now }),
      deviceToken: this.deviceTokens.make(profile.phoneNumber, profile.userId),
      isNewUser,
      profile,
    };
  }

  private async repeat(
    transaction: EntityManager,
    sessionId: string,
    now: Date,
  ): Promise<OpenedSession | undefined> {
    const fresh = await this.sessions.findFresh(transaction, sessionId, now);
    const profile = fresh && (await this.users.find(fresh.session.userId, transaction));
    if (!profile) return undefined;
    const { session, roles } = fresh;
    // The sign-in that makes a user gives both the same time.
    const isNew = profile.createdAt.getTime() === session.createdAt.getTime();
    return { sessionId, session, profile, roles, isNew, ended: [], replacedId: undefined, isRepeated: true };
  }
}
