import { readdir } from 'node:fs/promises';

import { type Answer, expectProblem, harness, type SignedInUser, type TestApp } from './app.js';

/** What `draw.mjs` offers. */
export interface Draw {
  SECRETS: readonly string[];
  picture(
    type?: string,
    options?: {
      width?: number;
      height?: number;
      orientation?: number;
      colours?: string;
      profile?: string;
      alpha?: boolean;
      /** And those of sharp's encoder. */
      [encoding: string]: unknown;
    },
  ): Promise<Buffer>;
  withMetadata(): Promise<Buffer>;
  animation(type?: string): Promise<Buffer> | Buffer;
  flat(
    type: string,
    options?: { width?: number; height?: number; [encoding: string]: unknown },
  ): Promise<Buffer>;
  pixels(bytes: Uint8Array): Promise<{ data: number[]; width: number; height: number; channels: number }>;
  preview(hash: string): { ratio: number; average: number[] };
  look(bytes: Uint8Array): Promise<{
    format: string;
    width: number;
    height: number;
    space: string;
    metadata: string[];
    corners: string[];
  }>;
  blackPng(width: number, height: number): Buffer;
  withChunk(png: Buffer, type: string, content: Buffer): Buffer;
  withSegments(jpeg: Buffer, segments: [marker: number, content: Buffer][]): Buffer;
  withJpegProfile(jpeg: Buffer, profile: Buffer): Buffer;
  withPngProfile(png: Buffer, profile: Buffer): Buffer;
  withBox(file: Buffer, type: string, content: Buffer): Buffer;
  claiming(type: string, file: Buffer, width: number, height: number): Buffer;
  ofChannels(jpeg: Buffer, channels: number): Buffer;
  padded(file: Buffer, size: number): Buffer;
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
  for (const file of files) form.append(field, toBlob(file, type), name);
  return app.request('POST', PICTURES, { raw: form, headers: user.bearer });
}

export function toBlob(file: Uint8Array, type = 'image/jpeg'): Blob {
  return new Blob([file as Uint8Array<ArrayBuffer>], { type });
}

export async function aSmallPicture(): Promise<Buffer> {
  return (await harness.draw()).picture('jpeg', { width: 64, height: 48 });
}

/** A user with so many pictures. */
export async function aUserWith(app: TestApp, count: number): Promise<SignedInUser> {
  const user = await app.signIn();
  const { status } = await upload(app, user, Array<Buffer>(count).fill(await aSmallPicture()));
  expect(status).toBe(201);
  return user;
}

export function order(app: TestApp, user: SignedInUser, ids: unknown[]): Promise<Answer> {
  return app.request('PUT', `${PICTURES}/order`, { body: { picture_ids: ids }, headers: user.bearer });
}

export function expectFault(answer: Answer, field: string, code: string): void {
  expectProblem(answer, {
    status: 422,
    code: 'validation_failed',
    errors: [{ field, code, message: expect.any(String) }],
  });
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

/** The user has so many pictures, and of no other is anything left in the store. */
export async function expectPictures(app: TestApp, user: SignedInUser, count: number): Promise<void> {
  expect(await pictureIds(app, user)).toHaveLength(count);
  expect(await strays(app)).toEqual({ files: [], rows: [] });
}

/** The profile counts as completed. */
export async function complete(app: TestApp, { id }: SignedInUser): Promise<void> {
  await app.sql(
    `UPDATE user_profiles SET name = 'Ana', birth_date = '1996-02-29', gender = 'female', completed_at = updated_at
     WHERE user_id = $1`,
    [id],
  );
}
