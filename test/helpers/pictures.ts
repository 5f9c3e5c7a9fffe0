import { readdir } from 'node:fs/promises';

import { type Answer, type SignedInUser, type TestApp } from './app.js';

/** What `draw.mjs` offers. */
export interface Draw {
  SECRETS: readonly string[];
  picture(
    type?: string,
    options?: { width?: number; height?: number; orientation?: number; seed?: number },
  ): Promise<Buffer>;
  withMetadata(): Promise<Buffer>;
  blackPng(width: number, height: number): Buffer;
  look(bytes: Uint8Array): Promise<{
    format: string;
    width: number;
    height: number;
    space: string;
    metadata: string[];
    corners: string[];
  }>;
}

export const PICTURES = '/api/auth/profile/pictures';

/** Uploads files in one request, under the names that a client gives them. */
export function upload(
  app: TestApp,
  user: SignedInUser,
  files: readonly Uint8Array[],
  { field = 'pictures', name = 'picture.jpg', type = 'image/jpeg' } = {},
): Promise<Answer> {
  const form = new FormData();
  for (const file of files) form.append(field, new Blob([file as Uint8Array<ArrayBuffer>], { type }), name);
  return app.request('POST', PICTURES, { raw: form, headers: user.bearer });
}

/** The ids of a user's pictures, by position. */
export async function pictureIds(app: TestApp, user: SignedInUser): Promise<string[]> {
  const { body } = await app.get(PICTURES, user.bearer);
  expect(body.items.map(({ position }: { position: number }) => position)).toEqual(
    body.items.map((_: unknown, index: number) => index),
  );
  return body.items.map(({ id }: { id: string }) => id);
}

/** The files in the store that belong to no picture of the database, and the pictures that lack one. */
export async function strays(app: TestApp): Promise<{ files: string[]; rows: string[] }> {
  const files = (await readdir(app.started.pictures, { recursive: true })).filter((name) =>
    name.includes('.'),
  );
  const names = files.map((path) => path.split('/').at(-1)!);
  const rows = await app.sql<{ storage_key: string }>('SELECT storage_key FROM profile_pictures');
  const expected = rows.flatMap(({ storage_key: key }) => [`${key}.webp`, `${key}-thumbnail.webp`]);
  return {
    files: names.filter((name) => !expected.includes(name)),
    rows: expected.filter((name) => !names.includes(name)),
  };
}

/** The profile counts as completed. */
export async function complete(app: TestApp, { id }: SignedInUser): Promise<void> {
  await app.sql(
    `UPDATE user_profiles SET name = 'Ana', birth_date = '1996-02-29', gender = 'female', completed_at = updated_at
     WHERE user_id = $1`,
    [id],
  );
}
