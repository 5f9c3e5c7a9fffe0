import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import {
  type Answer,
  atOnce,
  expectProblem,
  harness,
  problem,
  type SignedInUser,
  tally,
  TestApp,
} from './helpers/app.js';
import {
  aSmallPicture,
  aUserWith,
  type Draw,
  expectPictures,
  order,
  pictureIds,
  PICTURES,
  upload,
} from './helpers/pictures.js';

const MEBIBYTE = 1024 * 1024;
const UNREADABLE = { status: 422, code: 'picture_unreadable' };
const LIMIT_REACHED = { status: 409, code: 'picture_limit_reached' };

let app: TestApp;
let draw: Draw;
let small: Buffer;
beforeAll(async () => {
  app = await TestApp.start();
  draw = await harness.draw();
  small = await aSmallPicture();
});

async function bytesOf(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

describe('POST /api/auth/profile/pictures', () => {
  it.each(['jpeg', 'png', 'webp', 'avif'])('takes %s, whatever its name and type say', async (type) => {
    const user = await app.signIn();
    const file = await draw.picture(type);
    const answer = await upload(app, user, [file], { name: '../../evil.html', type: 'text/html' });
    const expected = {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      position: 0,
      url: expect.stringMatching(`^http://localhost:\\d+/pictures/[0-9a-f]{32}\\.webp$`),
      thumbnail_url: expect.stringMatching(`^http://localhost:\\d+/pictures/[0-9a-f]{32}-thumbnail\\.webp$`),
      width: 320,
      height: 240,
      thumbhash: expect.stringMatching(/^[\w-]{20,40}$/),
    };
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 201,
      body: { items: [expected] },
    });
    expect((await app.get(PICTURES, user.bearer)).body).toEqual(answer.body);
    const [{ url, thumbnail_url: thumbnailUrl }] = answer.body.items;
    for (const rendition of [url, thumbnailUrl]) {
      expect(await draw.look(await bytesOf(rendition))).toEqual({
        format: 'webp',
        width: 320,
        height: 240,
        space: 'srgb',
        metadata: [],
        corners: ['red', 'green', 'blue', 'yellow'],
      });
    }
  });

  it('makes a large and a small rendition of a larger picture', async () => {
    const user = await app.signIn();
    const { body } = await upload(app, user, [await draw.picture('jpeg', { width: 1800, height: 2400 })]);
    const [{ url, thumbnail_url: thumbnailUrl, ...picture }] = body.items;
    expect(picture).toMatchObject({ width: 1200, height: 1600 });
    expect(await draw.look(await bytesOf(url))).toMatchObject({ width: 1200, height: 1600 });
    expect(await draw.look(await bytesOf(thumbnailUrl))).toMatchObject({ width: 300, height: 400 });
  });

  it('takes several at once, in the order in which they are sent, behind those that are there', async () => {
    const user = await aUserWith(app, 1);
    const files = await Promise.all([70, 80, 90].map((width) => draw.picture('png', { width, height: 60 })));
    const { status, body } = await upload(app, user, files);
    expect(status).toBe(201);
    expect(body.items).toMatchObject([
      { position: 1, width: 70 },
      { position: 2, width: 80 },
      { position: 3, width: 90 },
    ]);
    expect(await pictureIds(app, user)).toHaveLength(4);
  });

  it.each([
    ['jpeg', 'cmyk'],
    ['png', 'rgb16'],
    ['webp', 'srgb'],
  ])('shows the colours of a %s in %s', async (type, colours) => {
    const { body } = await upload(app, await app.signIn(), [await draw.picture(type, { colours })]);
    expect(await draw.look(await bytesOf(body.items[0].url))).toMatchObject({
      space: 'srgb',
      corners: ['red', 'green', 'blue', 'yellow'],
    });
  });

  it('takes pictures in shades of grey, and the first one of an animation', async () => {
    const grey = await draw.picture('jpeg', { colours: 'b-w' });
    const { status, body } = await upload(app, await app.signIn(), [grey, await draw.animation()]);
    expect(status).toBe(201);
    expect(body.items).toMatchObject([{ width: 320 }, { width: 64, height: 64 }]);
    expect((await draw.look(await bytesOf(body.items[1].url))).corners).toEqual(['red', 'red', 'red', 'red']);
  });

  it('gives each its own URL, the same picture too', async () => {
    const user = await app.signIn();
    const { body } = await upload(app, user, [small, small, small]);
    const urls = body.items.flatMap(({ url, thumbnail_url: thumbnailUrl }: Record<string, string>) => [
      url,
      thumbnailUrl,
    ]);
    expect(new Set(urls).size).toBe(6);
    for (const { id } of body.items) expect(urls.join('')).not.toContain(id.replaceAll('-', '').slice(0, 8));
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'stores a picture of EXIF orientation %d upright',
    async (orientation) => {
      const user = await app.signIn();
      const { body } = await upload(app, user, [await draw.picture('jpeg', { orientation })]);
      const [{ url, thumbnail_url: thumbnailUrl, width, height }] = body.items;
      expect([width, height]).toEqual([320, 240]);
      for (const rendition of [url, thumbnailUrl]) {
        expect(await draw.look(await bytesOf(rendition))).toMatchObject({
          width: 320,
          height: 240,
          metadata: [],
          corners: ['red', 'green', 'blue', 'yellow'],
        });
      }
    },
  );

  it('keeps no metadata: no place, no device, no profile, no comment, nothing behind the picture', async () => {
    const user = await app.signIn();
    const original = Buffer.concat([
      await draw.withMetadata(),
      Buffer.from('<script>secret-of-trailer</script>'),
    ]);
    const secrets = [...draw.SECRETS, 'secret-of-trailer'];
    expect((await draw.look(original)).metadata).toEqual(['exif', 'xmp', 'iptc', 'icc', 'orientation']);
    for (const secret of secrets) expect(original.includes(secret)).toBe(true);
    const { body } = await upload(app, user, [original]);
    for (const url of [body.items[0].url, body.items[0].thumbnail_url]) {
      const bytes = await bytesOf(url);
      expect((await draw.look(bytes)).metadata).toEqual([]);
      for (const trace of [...secrets, 'EXIF', 'Exif', 'XMP ', 'ICCP', 'xmpmeta', '8BIM', 'GPS', '<script']) {
        expect({ trace, found: bytes.includes(trace) }).toEqual({ trace, found: false });
      }
    }
  });

  it.each<[what: string, file: () => Promise<Uint8Array> | Uint8Array]>([
    ['a GIF', () => draw.picture('gif')],
    ['a TIFF', () => draw.picture('tiff')],
    [
      'an SVG',
      () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script/></svg>'),
    ],
    ['a PDF', () => Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n')],
    ['a HEIC', () => Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08meta', 'latin1')],
    ['text', () => Buffer.from('a picture says more than a thousand words')],
    ['a page', () => Buffer.from('<!doctype html><title>hello</title>')],
    ['nothing', () => new Uint8Array()],
    ['three bytes', () => Buffer.from([0xff, 0xd8, 0x00])],
    ['a box without an end', () => Buffer.from('\0\0\0\0ftyp', 'latin1')],
  ])('refuses %s that is called picture.jpg', async (_what, file) => {
    const user = await app.signIn();
    expectProblem(await upload(app, user, [await file()]), { status: 415, code: 'unsupported_picture' });
    await expectPictures(app, user, 0);
  });

  it.each(['jpeg', 'png', 'webp', 'avif'])('refuses a %s that breaks off', async (type) => {
    const user = await app.signIn();
    const file = await draw.picture(type);
    for (const part of [0.99, 0.6, 0.1]) {
      expectProblem(await upload(app, user, [file.subarray(0, file.length * part)]), UNREADABLE);
    }
    await expectPictures(app, user, 0);
  });

  it.each(['jpeg', 'png', 'webp'])('refuses what only begins like a %s', async (type) => {
    const user = await app.signIn();
    const beginning = (await draw.picture(type)).subarray(0, 12);
    const file = Buffer.concat([beginning, Buffer.from('<?php system($_GET["c"]); ?>'.repeat(40))]);
    expectProblem(await upload(app, user, [file]), UNREADABLE);
  });

  it.each([
    [8000, 8000],
    [50_001, 1],
    [1, 50_001],
    [16_385, 10],
  ])('refuses a bomb of %d x %d pixels', async (width, height) => {
    const user = await app.signIn();
    const bomb = draw.blackPng(width, height);
    expect(bomb.length).toBeLessThan(20_000);
    expectProblem(await upload(app, user, [bomb]), UNREADABLE);
    await expectPictures(app, user, 0);
  });

  it.each([
    [10_000, 5000, 1600, 800],
    [16_384, 2, 1600, 1],
    [1, 1, 1, 1],
  ])('takes %d x %d pixels', async (width, height, keptWidth, keptHeight) => {
    const { status, body } = await upload(app, await app.signIn(), [draw.blackPng(width, height)]);
    expect({ status, items: body.items }).toMatchObject({
      status: 201,
      items: [{ width: keptWidth, height: keptHeight }],
    });
  });

  it('takes 10 MiB, and not a byte more, declared or not', async () => {
    const user = await app.signIn();
    // Bytes behind a picture are no part of it.
    const largest = Buffer.concat([small, Buffer.alloc(10 * MEBIBYTE - small.length)]);
    expect((await upload(app, user, [largest])).status).toBe(201);
    const tooLarge = { status: 413, code: 'payload_too_large' };
    expectProblem(await upload(app, user, [Buffer.concat([largest, Buffer.alloc(1)])]), tooLarge);
    expectProblem(await upload(app, user, [small, Buffer.alloc(30 * MEBIBYTE)]), tooLarge);
    const endless = await sendEndless(user);
    expectProblem(endless, tooLarge);
    await expectPictures(app, user, 1);
  });

  it('refuses a seventh picture, and seven in one request', async () => {
    const user = await aUserWith(app, 6);
    expectProblem(await upload(app, user, [small]), LIMIT_REACHED);
    const other = await app.signIn();
    expectProblem(await upload(app, other, Array<Buffer>(7).fill(small)), LIMIT_REACHED);
    await expectPictures(app, other, 0);
    const third = await aUserWith(app, 5);
    expectProblem(await upload(app, third, [small, small]), LIMIT_REACHED);
    await expectPictures(app, third, 5);
  });

  it('keeps all pictures of a request or none', async () => {
    const user = await app.signIn();
    const five = Array<Buffer>(5).fill(small);
    expectProblem(await upload(app, user, [...five, small.subarray(0, -300)]), UNREADABLE);
    await expectPictures(app, user, 0);
    expectProblem(await upload(app, user, [...five, Buffer.from('GIF89a')]), {
      status: 415,
      code: 'unsupported_picture',
    });
    await expectPictures(app, user, 0);
  });

  it('never passes six pictures, however many uploads come at once', async () => {
    const user = await app.signIn();
    // One process takes six of one user at once.
    const replica = await app.replica();
    const answers = await atOnce(10, (index) => upload(index < 5 ? app : replica, user, [small]));
    expect(tally(answers)).toEqual({ 201: 6, 409: 4 });
    for (const { status, body } of answers) {
      if (status === 409) expect(body).toEqual(problem('picture_limit_reached'));
    }
    await expectPictures(app, user, 6);
  });

  it('leaves no file behind in the folder for temporary ones', async () => {
    const user = await aUserWith(app, 2);
    await upload(app, user, [small, Buffer.from('text')]);
    const names = async () =>
      (await readdir(tmpdir())).filter((name) => /^latchkey-[0-9a-f]{32}$/.test(name));
    // Another test's upload has a name for a moment.
    const [before, after] = [await names(), await names()];
    expect(after.filter((name) => before.includes(name))).toEqual([]);
  });

  it('grows the version of the profile', async () => {
    const user = await app.signIn();
    const version = async () => {
      const [row] = await app.sql<{ version: number }>(
        'SELECT version FROM user_profiles WHERE user_id = $1',
        [user.id],
      );
      return row!.version;
    };
    const before = await version();
    await upload(app, user, [small, small]);
    expect(await version()).toBe(before + 1);
    const [first = ''] = await pictureIds(app, user);
    await order(app, user, (await pictureIds(app, user)).reverse());
    expect(await version()).toBe(before + 2);
    await app.request('DELETE', `${PICTURES}/${first}`, { headers: user.bearer });
    expect(await version()).toBe(before + 3);
    await upload(app, user, [Buffer.from('text')]);
    expect(await version()).toBe(before + 3);
  });
});

/** A file that goes on for as long as somebody reads it. */
async function sendEndless({ bearer }: SignedInUser): Promise<Answer> {
  const head = '--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\n';
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(sent === 0 ? new TextEncoder().encode(head) : new Uint8Array(MEBIBYTE));
      sent += 1;
      if (sent > 40) controller.close();
    },
  });
  const response = await fetch(`${app.started.url}${PICTURES}`, {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'multipart/form-data; boundary=x' },
    body,
    // @ts-expect-error undici asks for it with a stream; the types of the DOM do not know it.
    duplex: 'half',
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
