import { setTimeout as delay } from 'node:timers/promises';

import { type Answer, type SignedInUser, type TestApp } from './app.js';

// What users who move to another number ask for.

/** Asks for a code, to move to that number. */
export function ask(app: TestApp, user: SignedInUser, phoneNumber: string): Promise<Answer> {
  return app.post('/api/auth/phone-number', { phone_number: phoneNumber }, user.bearer);
}

export function move(app: TestApp, user: SignedInUser, phoneNumber: string, code: string): Promise<Answer> {
  const guess = { phone_number: phoneNumber, otp_code: code };
  return app.post('/api/auth/phone-number/verify', guess, user.bearer);
}

/** A code for a user to move to a number. */
export async function aCodeFor(app: TestApp, user: SignedInUser, phoneNumber: string): Promise<string> {
  const answer = await ask(app, user, phoneNumber);
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  return app.code(phoneNumber);
}

export async function anotherSession(app: TestApp, { phoneNumber }: SignedInUser): Promise<SignedInUser> {
  app.clock.advance(31);
  return app.signIn(phoneNumber);
}

export async function numberOf(app: TestApp, { id }: SignedInUser): Promise<string | undefined> {
  const [row] = await app.sql<{ phone_number: string }>('SELECT phone_number FROM users WHERE id = $1', [id]);
  return row?.phone_number;
}

/** The texts that say that an account has left a number, once there are any; they are sent after the answer. */
export async function noticesTo(app: TestApp, phoneNumber: string): Promise<unknown[]> {
  for (;;) {
    const texts = await app.texts(phoneNumber);
    const notices = texts.filter(({ purpose }) => purpose === 'phone_change_notice');
    if (notices.length > 0) return notices;
    await delay(10);
  }
}

/** The notices to a number that are still to be sent, or to be sent again. */
export function queuedNotices(app: TestApp, phoneNumber: string): Promise<unknown[]> {
  return app.sql(`SELECT id FROM latchkey_jobs._private_jobs WHERE payload ->> 'to' = $1`, [phoneNumber]);
}

/** How many codes the user has asked for, of late. */
export async function counted(app: TestApp, { id }: SignedInUser): Promise<number | undefined> {
  const [row] = await app.sql<{ count: number }>(
    'SELECT cardinality(phone_changes_asked_at) AS count FROM users WHERE id = $1',
    [id],
  );
  return row?.count;
}
