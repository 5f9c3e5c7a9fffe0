import { aPhoneNumber, type SignedInUser, TestApp, toSignedIn } from './app.js';
import type { FakeTwilio } from './fake-twilio.mjs';

// All tests come from one address.
const ROOM = {
  IP_PENDING_SENDS: '10000',
  IP_UNVERIFIED_SENDS_PER_HOUR: '10000',
  IP_UNVERIFIED_SENDS_PER_DAY: '10000',
};

/** An app in live mode that sends its texts to a fake, with room for tests without end. */
export function startLive(twilio: FakeTwilio, more: Record<string, string> = {}): Promise<TestApp> {
  return TestApp.start({ env: twilio.environment({ ...ROOM, ...more }) });
}

/** Signs in by a code that the fake was given. */
export async function signInLive(app: TestApp, twilio: FakeTwilio): Promise<SignedInUser> {
  const phoneNumber = aPhoneNumber();
  await app.signup(phoneNumber);
  const { body } = await app.verify(phoneNumber, twilio.code(phoneNumber) ?? '');
  return toSignedIn(phoneNumber, body);
}

/** What an app has logged. */
export function linesOf(app: TestApp): Record<string, unknown>[] {
  return app.started.log.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
