import { randomBytes } from 'node:crypto';

export const PICTURE_MEDIA_TYPE = 'image/webp';

/** The objects that a picture is kept as. */
export interface RenditionKeys {
  large: string;
  thumbnail: string;
}

/** 128 bits that nobody can guess: a picture's URL needs no token. */
export function newStorageKey(): string {
  return randomBytes(16).toString('hex');
}

export function renditionsOf(storageKey: string): RenditionKeys {
  return { large: `${storageKey}.webp`, thumbnail: `${storageKey}-thumbnail.webp` };
}

/** The picture that an object belongs to; nothing where the name is not that of a rendition. */
export function storageKeyOf(object: string): string | undefined {
  return /^([0-9a-f]{32})(?:-thumbnail)?\.webp$/.exec(object)?.[1];
}
