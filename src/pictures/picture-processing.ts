import sharp, { type Metadata, type OutputInfo, type SharpOptions } from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';

import { Problem } from '../platform/http/problem.js';

/** A picture as it is kept: upright, in sRGB, its metadata gone with the original. */
export interface ProcessedPicture {
  large: Buffer;
  thumbnail: Buffer;
  /** Of the large rendition. */
  width: number;
  height: number;
  thumbhash: string;
}

const LARGE_SIDE = 1600;
const THUMBNAIL_SIDE = 400;
const THUMBHASH_SIDE = 100;
const MAX_SIDE = 16_384;
const MAX_SECONDS = 10;
// Half the CPU of the default, 4, for files of about the same size.
const WEBP = { effort: 2 } as const;

const OPTIONS: SharpOptions = {
  limitInputPixels: 50_000_000,
  limitInputChannels: 5,
  // Row by row, where the type allows it.
  sequentialRead: true,
  // The first picture of an animation.
  pages: 1,
  // Truncated and broken files fail. At 'warning' pictures of real phones would too (stray bytes between segments,
  // odd SOS parameters), and hardly more that is damaged: of 200 JPEGs with overwritten bytes, five.
  failOn: 'error',
};

interface Pixels {
  data: Buffer;
  info: OutputInfo;
}

/**
 * Leaves libvips, in the whole process, no loaders but those of the four types: the others (SVG, PDF, TIFF, what
 * ImageMagick knows) read scripts and files of others, or were never meant for untrusted input.
 */
export function restrictDecoders(): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['Jpeg', 'Png', 'Webp', 'Heif'].map((type) => `VipsForeignLoad${type}Buffer`),
  });
  // The queue decides how many pictures are decoded at once; no two uploads are of the same picture.
  sharp.concurrency(1);
  sharp.cache(false);
}

/**
 * Reads the header of a picture, and none of its pixels.
 *
 * @returns how many bytes decoding it needs, roughly.
 * @throws {Problem} `unsupported_picture`, `picture_unreadable`.
 */
export async function weighPicture(original: Buffer): Promise<number> {
  if (!looksSupported(original)) throw new Problem('unsupported_picture');
  return orUnreadable(async () => {
    const metadata = await sharp(original, OPTIONS).metadata();
    requireSupported(metadata);
    return metadata.width * metadata.height * bytesPerPixel(metadata);
  });
}

/**
 * Decodes a picture that has been weighed, and makes of it what is kept.
 *
 * @throws {Problem} `picture_unreadable`.
 */
export function processPicture(original: Buffer): Promise<ProcessedPicture> {
  return orUnreadable(async () => render(await decode(original)));
}

// The first bytes decide which decoder sees the file at all. The first box of AVIF names its size and brands; that of a
// sequence starts with one that libvips does not know.
function looksSupported(file: Buffer): boolean {
  const isAt = (offset: number, signature: string) =>
    file.toString('latin1', offset, offset + signature.length) === signature;
  return (
    isAt(0, '\xff\xd8\xff') ||
    isAt(0, '\x89PNG\r\n\x1a\n') ||
    (isAt(0, 'RIFF') && isAt(8, 'WEBP')) ||
    (isAt(4, 'ftyp') && /^(?!avis)(?:.{4}){0,15}avif/s.test(file.toString('latin1', 8, file.readUInt32BE(0))))
  );
}

function requireSupported({ format, compression, width, height }: Metadata): void {
  const isSupported =
    format === 'jpeg' ||
    format === 'png' ||
    format === 'webp' ||
    (format === 'heif' && compression === 'av1');
  if (!isSupported) throw new Problem('unsupported_picture');
  if (width > MAX_SIDE || height > MAX_SIDE) throw new Problem('picture_unreadable');
}

// Measured with pictures of 50 megapixels. What comes row by row needs next to nothing.
function bytesPerPixel({ format, isProgressive, channels, depth, bitsPerSample }: Metadata): number {
  if (format === 'jpeg') return isProgressive ? 2 * channels : 0;
  if (format === 'png') return isProgressive ? channels * (depth === 'ushort' ? 2 : 1) : 0;
  if (format === 'webp') return 5;
  return (bitsPerSample ?? 8) > 8 ? 25 : 20;
}

// Pixels hold no metadata, so that none can get further than this.
function decode(original: Buffer): Promise<Pixels> {
  return sharp(original, OPTIONS)
    .timeout({ seconds: MAX_SECONDS })
    .autoOrient()
    .resize({ width: LARGE_SIDE, height: LARGE_SIDE, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
}

async function render({ data, info }: Pixels): Promise<ProcessedPicture> {
  const { width, height, channels } = info;
  const scaled = (side: number) =>
    sharp(data, { raw: { width, height, channels } }).resize({
      width: side,
      height: side,
      fit: 'inside',
      withoutEnlargement: true,
    });
  const large = await scaled(LARGE_SIDE).webp(WEBP).toBuffer();
  const thumbnail = await scaled(THUMBNAIL_SIDE).webp(WEBP).toBuffer();
  const tiny = await scaled(THUMBHASH_SIDE).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const hash = rgbaToThumbHash(tiny.info.width, tiny.info.height, tiny.data);
  return { large, thumbnail, width, height, thumbhash: Buffer.from(hash).toString('base64url') };
}

async function orUnreadable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('picture_unreadable', undefined, { cause: error });
  }
}
