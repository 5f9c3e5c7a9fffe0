import { inflateSync } from 'node:zlib';

import { type Answer, expectProblem, harness, TestApp } from './helpers/app.js';
import { type Draw, expectPictures, upload } from './helpers/pictures.js';

// Pictures that are made to harm, or that few decoders get right.

const MEBIBYTE = 1024 * 1024;
const UNREADABLE = { status: 422, code: 'picture_unreadable' };
const UNSUPPORTED = { status: 415, code: 'unsupported_picture' };
const CORNERS = ['red', 'green', 'blue', 'yellow'];
const TYPES = ['jpeg', 'png', 'webp', 'avif'];

let app: TestApp;
let draw: Draw;
beforeAll(async () => {
  app = await TestApp.start({ env: { UPLOADS_PER_HOUR: '1000000' } });
  draw = await harness.draw();
});

async function uploadAlone(file: Uint8Array): Promise<Answer> {
  return upload(app, await app.signIn(), [file]);
}

/** Both renditions of what was kept. */
async function renditionsOf({ status, body }: Answer): Promise<Buffer[]> {
  expect({ status, body }).toMatchObject({ status: 201 });
  const [{ url, thumbnail_url: thumbnailUrl }] = body.items;
  const answers = await Promise.all([url, thumbnailUrl].map((address: string) => fetch(address)));
  for (const { headers } of answers) expect(headers.get('content-type')).toBe('image/webp');
  return Promise.all(answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())));
}

async function expectShown(answer: Answer, corners = CORNERS): Promise<void> {
  for (const rendition of await renditionsOf(answer)) {
    expect(await draw.look(rendition)).toMatchObject({
      format: 'webp',
      space: 'srgb',
      metadata: [],
      corners,
    });
  }
}

describe('a picture that claims to be larger than it is', () => {
  it.each([
    ['png', 50_000, 50_000],
    ['png', 0x7fffffff, 0x7fffffff],
    ['jpeg', 65_500, 65_500],
    ['jpeg', 0, 0],
    ['webp', 16_383, 16_383],
    ['webp', 0, 0],
    ['avif', 50_000, 50_000],
    ['avif', 0xffffffff, 0xffffffff],
  ])('is refused: a %s of %d x %d', async (type, width, height) => {
    const user = await app.signIn();
    const file = draw.claiming(type, await draw.picture(type, { width: 64, height: 64 }), width, height);
    expect(file.length).toBeLessThan(5000);
    expectProblem(await upload(app, user, [file]), UNREADABLE);
    await expectPictures(app, user, 0);
  });
});

describe('a picture of more than 50 megapixels, or 16,384 pixels a side', () => {
  it.each([
    ['jpeg', 7100, 7100],
    ['webp', 7100, 7100],
    ['jpeg', 16_400, 20],
    ['png', 16_400, 16],
  ])('is refused, be it as small a file as it may: a %s of %d x %d', async (type, width, height) => {
    const file = await draw.flat(type, { width, height });
    expect(file.length).toBeLessThan(800_000);
    expectProblem(await uploadAlone(file), UNREADABLE);
  });
});

describe('a picture of odd sizes', () => {
  it.each([
    ['jpeg', 1, 1],
    ['png', 1, 1],
    ['webp', 1, 1],
    ['avif', 1, 1],
    ['png', 16_000, 1],
    ['png', 1, 16_000],
    ['jpeg', 1, 16_000],
    ['webp', 16_000, 1],
    ['png', 3, 5],
  ])('is taken, and never enlarged: a %s of %d x %d', async (type, width, height) => {
    const answer = await uploadAlone(await draw.flat(type, { width, height }));
    const [large, thumbnail] = await renditionsOf(answer);
    const within = (side: number) => {
      const scale = Math.min(1, side / Math.max(width, height));
      return { width: Math.max(1, width * scale), height: Math.max(1, height * scale) };
    };
    expect(answer.body.items[0]).toMatchObject(within(1600));
    expect(await draw.look(large!)).toMatchObject(within(1600));
    expect(await draw.look(thumbnail!)).toMatchObject(within(400));
    expect(draw.preview(answer.body.items[0].thumbhash).average).toHaveLength(4);
  });
});

describe('a picture of six channels', () => {
  it('is refused', async () => {
    const file = draw.ofChannels(await draw.picture('jpeg'), 6);
    expectProblem(await uploadAlone(file), UNREADABLE);
  });
});

describe('a picture that is something else as well', () => {
  const PAYLOAD = '<html><script>alert("secret-payload")</script></html>';
  const ZIP = Buffer.from('PK\x03\x04secret-payloadPK\x05\x06'.padEnd(60, '\0'), 'latin1');
  const behind = (type: string, rest: Buffer) => async () => Buffer.concat([await draw.picture(type), rest]);

  it.each<[what: string, file: () => Promise<Buffer>]>([
    ['a JPEG and a page behind it', behind('jpeg', Buffer.from(PAYLOAD))],
    ['a JPEG and a ZIP archive', behind('jpeg', ZIP)],
    [
      'a JPEG with a page in a comment',
      async () => draw.withSegments(await draw.picture('jpeg'), [[0xfe, Buffer.from(PAYLOAD)]]),
    ],
    [
      'a JPEG with a script in a segment of an application',
      async () => draw.withSegments(await draw.picture('jpeg'), [[0xeb, Buffer.from(`*/=1;${PAYLOAD}/*`)]]),
    ],
    ['a PNG and a script behind it', behind('png', Buffer.from(PAYLOAD))],
    [
      'a PNG with a page in its text',
      async () =>
        draw.withChunk(await draw.picture('png'), 'tEXt', Buffer.from(`Comment\0${PAYLOAD}`, 'latin1')),
    ],
    [
      'a PNG with a script in a chunk of its own',
      async () => draw.withChunk(await draw.picture('png'), 'jsCr', Buffer.from(PAYLOAD)),
    ],
    ['a WebP and a ZIP archive', behind('webp', ZIP)],
    [
      'an AVIF with a page in a box',
      async () => draw.withBox(await draw.picture('avif'), 'free', Buffer.from(PAYLOAD)),
    ],
  ])('is kept as a picture alone: %s', async (_what, file) => {
    const original = await file();
    expect(original.includes('secret-payload')).toBe(true);
    const answer = await uploadAlone(original);
    await expectShown(answer);
    for (const rendition of await renditionsOf(answer)) {
      expect(rendition.subarray(8, 12).toString()).toBe('WEBP');
      // Nothing behind the end that RIFF names.
      expect(rendition.readUInt32LE(4) + 8).toBe(rendition.length);
      for (const trace of ['secret-payload', '<html', '<script', 'PK\x03\x04', 'PK\x05\x06']) {
        expect({ trace, found: rendition.includes(trace) }).toEqual({ trace, found: false });
      }
    }
  });

  it.each<[what: string, head: string]>([
    ['a page', '<html>'],
    ['a PDF', '%PDF-1.7\n'],
    ['a GIF', 'GIF89a'],
    ['a BMP', 'BM\x36\0\0\0'],
    ['an archive', 'PK\x03\x04'],
  ])('is refused if it begins as %s', async (_what, head) => {
    const file = Buffer.concat([Buffer.from(head, 'latin1'), await draw.picture('jpeg')]);
    expectProblem(await uploadAlone(file), UNSUPPORTED);
  });

  it('is refused if an AVIF is called HEIC within', async () => {
    const heic = Buffer.from(await draw.picture('avif'));
    heic.write('heic', 8, 'latin1');
    for (let at = heic.indexOf('avif'); at >= 0; at = heic.indexOf('avif')) heic.write('heic', at, 'latin1');
    expectProblem(await uploadAlone(heic), UNSUPPORTED);
  });
});

describe('an animation', () => {
  it.each(['webp', 'png'])('is kept as its first picture: a %s', async (type) => {
    const file = await draw.animation(type);
    expect(file.includes(type === 'png' ? 'fdAT' : 'ANMF')).toBe(true);
    const answer = await uploadAlone(file);
    expect(answer.body.items).toMatchObject([{ width: 64, height: 64 }]);
    await expectShown(answer, ['red', 'red', 'red', 'red']);
    for (const rendition of await renditionsOf(answer)) expect(rendition.includes('ANIM')).toBe(false);
  });

  it('is refused if it is a sequence of AVIF, and kept as the picture that stands for it if that comes first', async () => {
    const [sequence, picture] = [await draw.picture('avif'), await draw.picture('avif')];
    sequence.write('avis', 8, 'latin1');
    expectProblem(await uploadAlone(sequence), UNSUPPORTED);
    picture.write('avis', picture.indexOf('miaf'), 'latin1');
    await expectShown(await uploadAlone(picture));
  });
});

describe('a picture in other colours', () => {
  it.each(TYPES)('is kept in sRGB: a %s in Display P3', async (type) => {
    const options = { width: 64, height: 64, quality: 100, ...(type === 'webp' && { lossless: true }) };
    const [plain, wide] = [
      await draw.picture(type, options),
      await draw.picture(type, { ...options, profile: 'p3' }),
    ];
    expect((await draw.look(wide)).metadata).toContain('icc');
    const red = async (file: Buffer) => {
      const { data, width, channels } = await draw.pixels(file);
      return data.slice((8 * width + 8) * channels, (8 * width + 8) * channels + 3);
    };
    const distance = (one: number[], other: number[]) =>
      Math.max(...one.map((value, band) => Math.abs(value - other[band]!)));
    const shown = await red(plain);
    // The same colour has other numbers in P3.
    expect(distance(await red(wide), shown)).toBeGreaterThan(15);
    const [large] = await renditionsOf(await uploadAlone(wide));
    expect(distance(await red(large!), shown)).toBeLessThan(12);
  });

  it.each<[what: string, type: string, options: Record<string, unknown>]>([
    ['CMYK without a profile', 'jpeg', { colours: 'cmyk' }],
    ['CMYK with a profile', 'jpeg', { colours: 'cmyk', profile: 'cmyk' }],
    ['16 bits', 'png', { colours: 'rgb16' }],
    ['a palette', 'png', { palette: true }],
    ['a palette of few colours, interlaced', 'png', { palette: true, colors: 8, progressive: true }],
    ['an interlaced PNG', 'png', { progressive: true }],
    ['a progressive JPEG', 'jpeg', { progressive: true }],
    ['4:4:4', 'jpeg', { chromaSubsampling: '4:4:4' }],
    ['a PNG with alpha', 'png', { alpha: true }],
    ['a WebP with alpha', 'webp', { alpha: true }],
    ['an AVIF with alpha', 'avif', { alpha: true }],
    ['a lossless WebP', 'webp', { lossless: true }],
    ['an AVIF of 10 bits', 'avif', { bitdepth: 10 }],
  ])('is kept in sRGB: %s', async (_what, type, options) => {
    await expectShown(await uploadAlone(await draw.picture(type, options)));
  });

  it.each<[what: string, type: string, options: Record<string, unknown>]>([
    ['greyscale', 'jpeg', { colours: 'b-w' }],
    ['greyscale', 'png', { colours: 'b-w' }],
    ['greyscale with alpha', 'png', { colours: 'b-w', alpha: true }],
    ['greyscale of 16 bits', 'png', { colours: 'grey16' }],
  ])('is kept in shades of grey: %s in a %s', async (_what, type, options) => {
    const file = await draw.picture(type, { ...options, quality: 100 });
    const [large] = await renditionsOf(await uploadAlone(file));
    expect(await draw.look(large!)).toMatchObject({ width: 320, height: 240, space: 'srgb', metadata: [] });
    const { data, channels } = await draw.pixels(large!);
    const pixels = Array.from({ length: data.length / channels }, (_, index) =>
      data.slice(index * channels, index * channels + 3),
    );
    expect(Math.max(...pixels.map((bands) => Math.max(...bands) - Math.min(...bands)))).toBeLessThan(4);
    // Green is the lighter half of the upper one.
    const row = pixels.slice(20 * 320, 21 * 320);
    expect(row[300]![0]! - row[20]![0]!).toBeGreaterThan(30);
  });
});

describe('a profile of colours', () => {
  const ICC_HEADER = Buffer.alloc(128);
  ICC_HEADER.write('acsp', 36);

  it.each<[what: string, profile: Buffer]>([
    ['that is no profile', Buffer.from('no profile at all')],
    ['of nothing but a header', ICC_HEADER],
    [
      'that names itself larger than it is',
      Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), ICC_HEADER]),
    ],
    ['of 4 MiB', Buffer.concat([ICC_HEADER, Buffer.alloc(4 * MEBIBYTE, 'x')])],
  ])('%s is passed over', async (_what, profile) => {
    const [jpeg, png] = [await draw.picture('jpeg'), await draw.picture('png')];
    for (const file of [draw.withJpegProfile(jpeg, profile), draw.withPngProfile(png, profile)]) {
      await expectShown(await uploadAlone(file));
    }
  });

  it('that a few kilobytes inflate to 200 MiB is passed over', async () => {
    const profile = Buffer.alloc(200 * MEBIBYTE);
    const bomb = draw.withPngProfile(await draw.picture('png'), profile);
    expect(bomb.length).toBeLessThan(MEBIBYTE);
    await expectShown(await uploadAlone(bomb));
  });

  it('that breaks off within a real one is passed over', async () => {
    const wide = await draw.picture('png', { profile: 'p3' });
    const at = wide.indexOf('iCCP');
    const end = at + 4 + wide.readUInt32BE(at - 4);
    const profile = inflateSync(wide.subarray(wide.indexOf(0, at + 4) + 2, end));
    expect(profile.length).toBeGreaterThan(200);
    const file = draw.withPngProfile(await draw.picture('png'), profile.subarray(0, profile.length / 2));
    await expectShown(await uploadAlone(file));
  });
});

describe('the preview', () => {
  it.each(TYPES)('has the shape and the colours of the picture: a %s', async (type) => {
    const { body } = await uploadAlone(await draw.picture(type, { width: 400, height: 200 }));
    const { ratio, average } = draw.preview(body.items[0].thumbhash);
    expect(ratio).toBeGreaterThan(1.5);
    expect(ratio).toBeLessThan(2.6);
    // Red, green, blue and yellow in equal parts: 137, 135, 107 of 255, and a little noise.
    const expected = [137, 135, 107].map((value) => (value + 8) / 255);
    expected.forEach((value, band) => expect(Math.abs(average[band]! - value)).toBeLessThan(0.1));
    expect(average[3]).toBe(1);
  });
});
