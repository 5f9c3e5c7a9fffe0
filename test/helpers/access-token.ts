import { type Answer, expectProblem } from './app.js';

/** Fails unless the answer is that of a route that got no good access token. */
export function expectInvalidToken(answer: Answer): void {
  expectProblem(answer, { status: 401, code: 'access_token_invalid' });
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
}
