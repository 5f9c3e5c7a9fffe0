import { aPhoneNumber, type SignedInUser, type TestApp } from './app.js';

/** So many sessions of one user, the first one oldest. */
export async function sessionsOf(app: TestApp, count: number): Promise<SignedInUser[]> {
  const phone = aPhoneNumber();
  const sessions: SignedInUser[] = [];
  for (let index = 0; index < count; index += 1) {
    sessions.push(await app.signIn(phone));
    app.clock.advance(31);
  }
  return sessions;
}
