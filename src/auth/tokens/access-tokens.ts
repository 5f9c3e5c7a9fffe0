import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { randomUUID } from 'node:crypto';

import { SigningKeys } from '../keys/signing-keys.service.js';
import { TOKENS_CONFIG, type TokensConfig } from './tokens.config.js';

/** The claims of an access token (RFC 9068). Times are seconds since the epoch. */
export interface AccessTokenClaims {
  iss: string;
  aud: string;
  /** User id. */
  sub: string;
  /** Session id. */
  sid: string;
  iat: number;
  exp: number;
  jti: string;
  /** When the user last proved the phone number. */
  auth_time: number;
  roles: readonly string[];
}

@Injectable()
export class AccessTokens {
  constructor(
    @Inject(TOKENS_CONFIG) private readonly config: TokensConfig,
    private readonly signingKeys: SigningKeys,
    private readonly jwt: JwtService,
  ) {}

  /**
   * Signs a token that ends with its session at the latest.
   *
   * @param roles those in force.
   */
  make(
    session: { id: string; userId: string; authenticatedAt: Date; expiresAt: Date },
    roles: readonly string[],
    now: Date,
  ): { token: string; expiresIn: number } {
    const iat = seconds(now);
    const exp = Math.min(iat + this.config.accessTokenTtlSeconds, seconds(session.expiresAt));
    const claims: AccessTokenClaims = {
      iss: this.config.issuer,
      aud: this.config.audience,
      sub: session.userId,
      sid: session.id,
      iat,
      exp,
      jti: randomUUID(),
      auth_time: seconds(session.authenticatedAt),
      roles,
    };
    const { kid, privateKey } = this.signingKeys.current();
    // A KeyObject: a PEM string would be parsed anew for each token, at three times the cost.
    const token = this.jwt.sign(claims, {
      privateKey,
      algorithm: 'ES256',
      header: { alg: 'ES256', typ: 'at+jwt', kid },
    });
    return { token, expiresIn: exp - iat };
  }
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
