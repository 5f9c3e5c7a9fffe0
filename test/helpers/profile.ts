import { randomUUID } from 'node:crypto';

import type { Answer, SignedInUser, TestApp } from './app.js';

/** A good body for complete-profile. */
export function aProfile(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'Ana Pérez',
    birth_date: '1996-02-29',
    gender: 'female',
    event_interests: ['live-music', 'outdoors'],
    ...change,
  };
}

/** Gives a user a picture, as a row alone: for rules that only count them. */
export async function givePicture(app: TestApp, userId: string, position = 0): Promise<void> {
  await app.sql(
    `INSERT INTO profile_pictures (id, user_id, position, storage_key, width, height, thumbhash, created_at)
     VALUES ($1, $2, $3, $4, 100, 100, 'YQ', now())`,
    [randomUUID(), userId, position, randomUUID().replaceAll('-', '')],
  );
}

/** A user with a picture, who may complete the profile. */
export async function aUserWithPicture(app: TestApp): Promise<SignedInUser> {
  const user = await app.signIn();
  await givePicture(app, user.id);
  return user;
}

/** A user with a completed profile. */
export async function aCompleteUser(app: TestApp, change?: Record<string, unknown>): Promise<SignedInUser> {
  const user = await aUserWithPicture(app);
  const answer = await app.post('/api/auth/complete-profile', aProfile(change), user.bearer);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return user;
}

export function patch(app: TestApp, user: SignedInUser, body: unknown, headers = {}): Promise<Answer> {
  return app.request('PATCH', '/api/auth/profile', { body, headers: { ...user.bearer, ...headers } });
}
