import { createHash } from 'node:crypto';

/** 43 characters of base64url: an S256 `code_challenge` (RFC 7636, section 4.2). */
export const CODE_CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** 43 to 128 unreserved characters (RFC 7636, section 4.1). */
export const CODE_VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

export function codeChallengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}
