import sharp from 'sharp';
import * as thumbhash from 'thumbhash';

import { animatedPng, withSegments } from './picture-bytes.mjs';

export * from './picture-bytes.mjs';

const RED = [220, 30, 30];
const GREEN = [30, 200, 60];
const BLUE = [40, 60, 220];
const YELLOW = [230, 220, 40];

/** What is hidden in the metadata of `withMetadata`, in each place where there is room. */
export const SECRETS = ['secret-of-exif', 'secret-of-xmp', 'secret-of-iptc', 'secret-of-comment'];

/** A picture whose corners are red, green (top), blue and yellow (bottom), with noise so that it has a size. */
export async function picture(
  type = 'jpeg',
  { width = 320, height = 240, orientation = 1, colours, profile, alpha = false, ...encoding } = {},
) {
  const turned = orientation >= 5;
  const [columns, rows] = turned ? [height, width] : [width, height];
  const drawing = Buffer.alloc(columns * rows * 3);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const [x, y] = shownAt(orientation, { row, column, width, height });
      const colour = y < height / 2 ? (x < width / 2 ? RED : GREEN) : x < width / 2 ? BLUE : YELLOW;
      const noise = (x * 31 + y * 17) % 16;
      for (let band = 0; band < 3; band += 1)
        drawing[(row * columns + column) * 3 + band] = colour[band] + noise;
    }
  }
  const drawn = sharp(drawing, { raw: { width: columns, height: rows, channels: 3 } });
  if (alpha) drawn.ensureAlpha(0.9);
  if (colours) drawn.toColourspace(colours);
  if (orientation !== 1) drawn.withMetadata({ orientation });
  // Colours are converted to those of the profile.
  if (profile) drawn.withIccProfile(profile);
  return drawn.toFormat(type, { ...(type === 'avif' && { effort: 0 }), ...encoding }).toBuffer();
}

// Where a stored pixel is shown (EXIF 2.32, tag 0x0112): which sides row 0 and column 0 are.
function shownAt(orientation, { row, column, width, height }) {
  const [right, bottom] = [width - 1, height - 1];
  switch (orientation) {
    case 2:
      return [right - column, row];
    case 3:
      return [right - column, bottom - row];
    case 4:
      return [column, bottom - row];
    case 5:
      return [row, column];
    case 6:
      return [right - row, column];
    case 7:
      return [right - row, bottom - column];
    case 8:
      return [row, bottom - column];
    default:
      return [column, row];
  }
}

/** A WebP or a PNG of two pictures, red and blue. */
export function animation(type = 'webp') {
  if (type === 'png') return animatedPng([RED, BLUE]);
  const frame = (colour) => Buffer.alloc(64 * 64 * 3, Buffer.from(colour));
  const raw = { width: 64, height: 128, channels: 3, pageHeight: 64 };
  return sharp(Buffer.concat([frame(RED), frame(BLUE)]), { raw })
    .webp({ loop: 0, delay: [100, 100] })
    .toBuffer();
}

/** A JPEG that says where and by whom it was taken, in EXIF, XMP, IPTC and a comment. */
export async function withMetadata() {
  const [exif, xmp, iptc, comment] = SECRETS;
  const jpeg = await sharp(await picture())
    .withExif({
      IFD0: { Copyright: exif, Make: exif },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '38/1 43/1 20/1',
        GPSLongitudeRef: 'W',
        GPSLongitude: '9/1 8/1 30/1',
      },
    })
    .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>${xmp}</a></x:xmpmeta>`)
    .withIccProfile('p3')
    .jpeg()
    .toBuffer();
  const irb = Buffer.from(
    `Photoshop 3.0\0${'8BIM\x04\x04\0\0\0\0\0\x13'}\x1c\x02\x69\0\x0e${iptc}`,
    'latin1',
  );
  return withSegments(jpeg, [
    [0xed, irb],
    [0xfe, Buffer.from(comment)],
  ]);
}

/** Noise of the size of a phone's picture, which compresses as badly as a photograph does. */
export async function photograph(width, height, { quality = 85 } = {}) {
  const pixels = Buffer.alloc(width * height * 3);
  let state = 1;
  for (let at = 0; at < pixels.length; at += 1) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    pixels[at] = ((at / 900) & 127) + ((state >> 16) & 31);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}

/** One colour on so many pixels, 50 million by default: few bytes that a decoder may need many for. */
export function flat(type, { width = 8660, height = 5773, ...options } = {}) {
  return sharp({ create: { width, height, channels: 3, background: '#808080' } })
    .toFormat(type, options)
    .toBuffer();
}

/** The pixels of a picture, as they are stored. */
export async function pixels(bytes) {
  const { data, info } = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
  return { data: [...data], width: info.width, height: info.height, channels: info.channels };
}

/** What a ThumbHash shows. */
export function preview(hash) {
  const bytes = Buffer.from(hash, 'base64url');
  const { r, g, b, a } = thumbhash.thumbHashToAverageRGBA(bytes);
  return { ratio: thumbhash.thumbHashToApproximateAspectRatio(bytes), average: [r, g, b, a] };
}

/** What a decoder sees in a picture. */
export async function look(bytes) {
  const { format, width, height, exif, xmp, iptc, icc, orientation, space } = await sharp(bytes).metadata();
  const metadata = Object.entries({ exif, xmp, iptc, icc, orientation }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    format,
    width,
    height,
    space,
    metadata: metadata.map(([name]) => name),
    corners: await corners(bytes),
  };
}

async function corners(bytes) {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const nameAt = (x, y) => {
    const at = (y * info.width + x) * info.channels;
    const distances = Object.entries({ red: RED, green: GREEN, blue: BLUE, yellow: YELLOW }).map(
      ([name, colour]) => [
        colour.reduce((sum, value, band) => sum + Math.abs(value - data[at + band]), 0),
        name,
      ],
    );
    const [[distance, name]] = distances.sort(([one], [other]) => one - other);
    return distance < 200 ? name : 'another colour';
  };
  const [right, bottom] = [info.width - 5, info.height - 5];
  return info.width < 10 || info.height < 10
    ? []
    : [nameAt(4, 4), nameAt(right, 4), nameAt(4, bottom), nameAt(right, bottom)];
}
