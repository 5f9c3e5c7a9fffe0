// Pictures as bytes: what no encoder would write.
import { deflateSync } from 'node:zlib';

/** A PNG of one bit a pixel, all black: many pixels, few bytes. */
export function blackPng(width, height) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height));
  return pngOf([chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** An animated PNG of two pictures of 64 x 64 pixels, of which viewers that know no APNG show the first. */
export function animatedPng([first, second]) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(64, 0);
  header.writeUInt32BE(64, 4);
  header.set([8, 2], 8);
  const rows = (colour) =>
    deflateSync(
      Buffer.concat(Array(64).fill(Buffer.concat([Buffer.alloc(1), Buffer.alloc(192, Buffer.from(colour))]))),
    );
  const numbers = (...values) => {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
    return bytes;
  };
  const control = (sequence) =>
    chunk('fcTL', Buffer.concat([numbers(sequence, 64, 64, 0, 0), Buffer.from([0, 1, 0, 10, 0, 0])]));
  return pngOf([
    chunk('IHDR', header),
    chunk('acTL', numbers(2, 0)),
    control(0),
    chunk('IDAT', rows(first)),
    control(1),
    chunk('fdAT', Buffer.concat([numbers(2), rows(second)])),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngOf(chunks) {
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]);
}

/** A PNG with one more chunk behind its header. */
export function withChunk(png, type, content) {
  const start = png.indexOf('IDAT', 'latin1') - 4;
  return Buffer.concat([png.subarray(0, start), chunk(type, content), png.subarray(start)]);
}

function chunk(type, content) {
  const body = Buffer.concat([Buffer.from(type), content]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(content.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A JPEG with more segments at its start: `[marker, content]`. */
export function withSegments(jpeg, segments) {
  return Buffer.concat([
    jpeg.subarray(0, 2),
    ...segments.map(([marker, content]) => segment(marker, content)),
    jpeg.subarray(2),
  ]);
}

function segment(marker, content) {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

/** A JPEG with this profile, whatever it is, instead of its own. */
export function withJpegProfile(jpeg, profile) {
  const size = 65_000;
  const count = Math.ceil(profile.length / size);
  const segments = Array.from({ length: count }, (_, index) => [
    0xe2,
    Buffer.concat([
      Buffer.from(`ICC_PROFILE\0${String.fromCharCode(index + 1, count)}`, 'latin1'),
      profile.subarray(index * size, (index + 1) * size),
    ]),
  ]);
  return withSegments(jpeg, segments);
}

/** A PNG whose profile, whatever it is, is deflated. */
export function withPngProfile(png, profile) {
  return withChunk(png, 'iCCP', Buffer.concat([Buffer.from('profile\0\0', 'latin1'), deflateSync(profile)]));
}

/** The same file, that claims to be of another size. */
export function claiming(type, file, width, height) {
  const changed = Buffer.from(file);
  if (type === 'png') {
    changed.writeUInt32BE(width, 16);
    changed.writeUInt32BE(height, 20);
    changed.writeUInt32BE(crc32(changed.subarray(12, 29)), 29);
  } else if (type === 'jpeg') {
    const at = frameOf(changed);
    changed.writeUInt16BE(height, at + 5);
    changed.writeUInt16BE(width, at + 7);
  } else if (type === 'webp') {
    changed.writeUInt16LE(width, changed.indexOf('VP8 ') + 14);
    changed.writeUInt16LE(height, changed.indexOf('VP8 ') + 16);
  } else {
    changed.writeUInt32BE(width, changed.indexOf('ispe') + 8);
    changed.writeUInt32BE(height, changed.indexOf('ispe') + 12);
  }
  return changed;
}

/** A JPEG that claims to be of so many channels. */
export function ofChannels(jpeg, channels) {
  const at = frameOf(jpeg);
  const end = at + 2 + jpeg.readUInt16BE(at + 2);
  const components = Array.from({ length: channels }, (_, index) => [index + 1, 0x11, 0]).flat();
  const frame = Buffer.concat([jpeg.subarray(at + 4, at + 9), Buffer.from([channels, ...components])]);
  return Buffer.concat([jpeg.subarray(0, at), segment(jpeg[at + 1], frame), jpeg.subarray(end)]);
}

// Start of frame: markers C0 to C2.
function frameOf(jpeg) {
  let at = 2;
  while (jpeg[at + 1] < 0xc0 || jpeg[at + 1] > 0xc2) at += 2 + jpeg.readUInt16BE(at + 2);
  return at;
}

/** The same picture in a file of that size: what stands behind a picture is no part of it. */
export function padded(file, size) {
  return withBox(file, 'free', Buffer.alloc(size - file.length - 8));
}

/** Bytes behind a picture; to AVIF they are one more box. */
export function withBox(file, type, content) {
  const head = Buffer.alloc(8, `....${type}`, 'latin1');
  head.writeUInt32BE(content.length + 8, 0);
  return Buffer.concat([file, head, content]);
}
