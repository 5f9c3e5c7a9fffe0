import { type Answer, expectProblem, type SignedInUser } from './app.js';

/** Fails unless the answer is that of a route that got no good access token. */
export function expectInvalidToken(answer: Answer): void {
  expectProblem(answer, { status: 401, code: 'access_token_invalid' });
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
}

/** The session that an access token is of. */
export function sessionIdOf({ accessToken }: Pick<SignedInUser, 'accessToken'>): string {
  return String(claimsOf(accessToken)['sid']);
}

/** What an access token says. */
export function claimsOf(accessToken: string): Record<string, unknown> {
  const claims = Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString();
  return JSON.parse(claims) as Record<string, unknown>;
}
