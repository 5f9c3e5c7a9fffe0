import { aPhoneNumber, type SignedInUser, type TestApp } from './app.js';
import { latchkey } from './command-line.js';

/** A user who holds the role `admin`, in a session in which it is in force. */
export async function anAdministrator(app: TestApp): Promise<SignedInUser> {
  const phoneNumber = aPhoneNumber();
  await app.signIn(phoneNumber);
  await latchkey(app.started.database, 'grant', 'admin', phoneNumber);
  app.clock.advance(31);
  return app.signIn(phoneNumber, { min_code_length: 8 });
}
