import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import type { KeyObject } from 'node:crypto';
import { Passport, type PassportStatic } from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

import { type Clock, CLOCK } from '../platform/clock.js';
import type { Caller } from '../platform/http/current-user.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { UserErasure } from '../users/user-erasure.service.js';
import type { AccessTokenClaims } from './tokens/access-tokens.js';
import { ADMINISTRATION_CONFIG, type AdministrationConfig } from './tokens/administration.config.js';
import { rolesInForce } from './tokens/roles-in-force.js';
import { SessionsService } from './sessions/sessions.service.js';
import { SigningKeys } from './keys/signing-keys.service.js';
import { takesErased } from './account/takes-erased.decorator.js';
import { TOKENS_CONFIG, type TokensConfig } from './tokens/tokens.config.js';

const CLOCK_SKEW_SECONDS = 5;

/** Checks an access token: ours, ES256 and nothing else, for us, not expired, of a session that lives. */
@Injectable()
export class AccessTokenStrategy extends PassportStrategy(Strategy) {
  constructor(
    signingKeys: SigningKeys,
    @Inject(TOKENS_CONFIG) config: TokensConfig,
    @Inject(ADMINISTRATION_CONFIG) private readonly administration: AdministrationConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly sessions: SessionsService,
    private readonly users: UserErasure,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      algorithms: ['ES256'],
      issuer: config.issuer,
      audience: config.audience,
      // Judged in validate(), by our own clock.
      ignoreExpiration: true,
      passReqToCallback: true,
      secretOrKeyProvider: (
        _request: unknown,
        token: string,
        done: (error: unknown, key?: Buffer) => void,
      ) => {
        const key = keyOf(token, signingKeys);
        // Its types know no KeyObject; jsonwebtoken, which checks the signature, does.
        done(key ? null : forged('its header names no key of ours'), key as unknown as Buffer);
      },
    });
  }

  // The registry of passport is one for the whole process: a second app would take over the checks of the first.
  getPassportInstance() {
    return new Passport() as PassportStatic;
  }

  async validate(request: FastifyRequest, claims: AccessTokenClaims): Promise<Caller> {
    const { sub: userId, sid: sessionId, exp, auth_time: authTime, roles } = claims;
    if (typeof userId !== 'string' || typeof sessionId !== 'string' || typeof exp !== 'number') {
      throw forged('a claim is missing');
    }
    const now = this.clock.now();
    if (now.getTime() >= (exp + CLOCK_SKEW_SECONDS) * 1000) throw new Problem('access_token_expired');
    const session = await this.sessions.findLive(sessionId, userId, now);
    const authenticatedAt = new Date(authTime * 1000);
    if (!session) {
      const isRepeat = takesErased(request) && (await this.users.isErased(userId));
      if (!isRepeat) throw new Problem('access_token_invalid');
      return { userId, sessionId, roles: [], authenticatedAt };
    }
    // What the token says is up to its life old: a role may have been taken since, or be used from elsewhere.
    const held = session.roles.filter((role) => roles.includes(role));
    const use = { codeLength: session.codeLength, authenticatedAt, ip: request.ip, now };
    return { userId, sessionId, roles: rolesInForce(held, use, this.administration), authenticatedAt };
  }
}

/** No client of ours sends such a token: the guard logs the reason. */
export function forged(reason: string): Problem {
  return new Problem('access_token_invalid', undefined, { cause: reason });
}

/** The key of our own set that the header names; `jku`, `jwk`, `x5u` and `x5c` in it mean nothing to us. */
function keyOf(token: string, signingKeys: SigningKeys): KeyObject | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString());
    if (typeof header !== 'object' || header === null || 'crit' in header) return undefined;
    const { typ, kid } = header as { typ?: unknown; kid?: unknown };
    return typ === 'at+jwt' && typeof kid === 'string' ? signingKeys.publicKey(kid) : undefined;
  } catch {
    return undefined;
  }
}
