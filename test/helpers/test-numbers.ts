import { randomInt } from 'node:crypto';

import { type Answer, type SignedInUser, type StartOptions, TestApp, toSignedIn } from './app.js';

// Test numbers, and the accounts that they make.

/** The fixed code of every test number, where a test says no other. */
export const CODE = '83120467';

const DAY_MS = 24 * 60 * 60 * 1000;

let lastFictional = randomInt(9_000);

/** A number that is none, as films have them. */
export function aFictionalNumber(): string {
  lastFictional += 1;
  return `+1555555${String(lastFictional).padStart(4, '0')}`;
}

/** The day so many days ahead. */
export function dayIn(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
}

/** @param options.days until the last day on which they work. */
export function entriesOf(
  numbers: readonly string[],
  { code = CODE, days = 30 } = {},
): Record<string, string> {
  return { OTP_TEST_NUMBERS: numbers.map((number) => `${number}=${code}@${dayIn(days)}`).join(',') };
}

/** An app with these test numbers, on the database that all apps of a file share. */
export function appWith(
  numbers: readonly string[],
  { env, ...options }: StartOptions = {},
): Promise<TestApp> {
  return TestApp.start({ ...options, env: { ...entriesOf(numbers), ...env } });
}

export async function signInWithFixedCode(
  app: TestApp,
  phoneNumber: string,
  code = CODE,
): Promise<SignedInUser> {
  expect((await app.signup(phoneNumber)).status).toBe(200);
  const { status, body } = await app.verify(phoneNumber, code);
  expect([status, body]).toEqual([200, expect.anything()]);
  return toSignedIn(phoneNumber, body);
}

export function deleteAccount(app: TestApp, headers: Record<string, string>): Promise<Answer> {
  return app.request('DELETE', '/api/auth/account', { headers });
}

export async function accountOf(
  app: TestApp,
  phoneNumber: string,
): Promise<{ id: string; is_test: boolean } | undefined> {
  const rows = await app.sql<{ id: string; is_test: boolean }>(
    'SELECT id, is_test FROM users WHERE phone_number = $1',
    [phoneNumber],
  );
  return rows[0];
}

/** The entries about a user. */
export function auditOf(app: TestApp, userId: string, action: string): Promise<unknown[]> {
  return app.sql(
    'SELECT actor_id, object_type, object_id, ip, payload FROM audit_log WHERE object_id = $1 AND action = $2',
    [userId, action],
  );
}
