import { createHash, randomBytes } from 'node:crypto';

/** A `code_verifier` and the `code_challenge` of it (RFC 7636, S256). */
export function aChallenge(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}
