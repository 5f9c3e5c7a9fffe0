import { aPhoneNumber, type SignedInUser, type TestApp } from './app.js';
import { latchkey } from './command-line.js';

/** A user who holds the role `admin`, in a session in which it is in force. */
export async function anAdministrator(app: TestApp): Promise<SignedInUser> {
  const phoneNumber = aPhoneNumber();
  await app.signIn(phoneNumber);
  await latchkey(app.started.database, 'grant', 'admin', phoneNumber);
  app.clock.advance(31);
  await app.signup(phoneNumber, { min_code_length: 8 });
  const { body } = await app.verify(phoneNumber, await app.code(phoneNumber));
  return {
    phoneNumber,
    id: body.user.id,
    accessToken: body.access_token,
    refreshToken: body.refresh_token,
    bearer: { authorization: `Bearer ${body.access_token}` },
  };
}
