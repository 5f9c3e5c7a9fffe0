import { randomUUID } from 'node:crypto';

import type { Answer, SignedInUser, TestApp } from './app.js';

const INTERESTS = '/api/admin/event-interests';

/** A name that no other interest has. */
export const aName = (): string => `Go ${randomUUID()}`;

export function addInterest(
  app: TestApp,
  { bearer }: SignedInUser,
  more: Record<string, unknown> = {},
): Promise<Answer> {
  return app.post(INTERESTS, { name: aName(), description: 'Black and white stones', ...more }, bearer);
}

/** An interest that was added just now. */
export async function anInterest(
  app: TestApp,
  admin: SignedInUser,
  more?: Record<string, unknown>,
): Promise<Answer['body']> {
  const { status, body } = await addInterest(app, admin, more);
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}

export function changeInterest(
  app: TestApp,
  { bearer }: SignedInUser,
  id: string,
  body: Record<string, unknown>,
): Promise<Answer> {
  return app.request('PATCH', `${INTERESTS}/${id}`, { body, headers: bearer });
}
