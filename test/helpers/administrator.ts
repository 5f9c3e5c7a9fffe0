import { aPhoneNumber, type SignedInUser, type TestApp } from './app.js';
import { latchkey } from './command-line.js';

/** An administrator, in a session that a code of 8 digits has opened. */
export async function anAdministrator(app: TestApp): Promise<SignedInUser> {
  const phoneNumber = aPhoneNumber();
  await app.signIn(phoneNumber);
  await latchkey(app.started.database, 'grant', 'admin', phoneNumber);
  app.clock.advance(31);
  return app.signIn(phoneNumber, { min_code_length: 8 });
}
