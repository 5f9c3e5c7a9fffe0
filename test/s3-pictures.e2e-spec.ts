import { type Answer, expectProblem, harness, type StartOptions, TestApp } from './helpers/app.js';
import { aSmallPicture, aUserWith, pictureIds, PICTURES, upload } from './helpers/pictures.js';
import { ScriptedStore } from './helpers/scripted-store.js';
import { until } from './helpers/eventually.js';
import { Wire } from './helpers/wire.js';

const NOT_FOUND = { status: 404, code: 'not_found' };
const UNAVAILABLE = { status: 503, code: 'storage_unavailable' };
const SECRET = 'a-secret-that-no-log-has';

let small: Buffer;
beforeAll(async () => {
  small = await aSmallPicture();
});

const wires: Wire[] = [];
afterEach(async () => {
  await harness.closeApps();
  for (const wire of wires.splice(0)) await wire.cut();
});

/** An app that keeps its pictures in a store of its own, over a wire. */
async function start(env: Record<string, string> = {}, options: StartOptions = {}) {
  const store = await harness.s3();
  const wire = await Wire.to(store);
  wires.push(wire);
  const app = await TestApp.start({
    database: await harness.database(),
    env: {
      STORAGE_DRIVER: 's3',
      S3_ENDPOINT: wire.url,
      S3_BUCKET: 'pictures',
      S3_ACCESS_KEY_ID: 'S3RVER',
      S3_SECRET_ACCESS_KEY: SECRET,
      ...env,
    },
    ...options,
  });
  return { app, wire, bucket: `${store}/pictures` };
}

async function objectsIn(bucket: string): Promise<string[]> {
  const list = await (await fetch(`${bucket}?list-type=2`)).text();
  return [...list.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key = '']) => key).sort();
}

/** The objects that the rows vouch for. */
async function objectsOfRows(app: TestApp): Promise<string[]> {
  const rows = await app.sql<{ storage_key: string }>('SELECT storage_key FROM profile_pictures');
  return rows.flatMap(({ storage_key: key }) => [`${key}-thumbnail.webp`, `${key}.webp`]).sort();
}

async function sweepLater(app: TestApp): Promise<void> {
  app.clock.advance(3700);
  await app.runJob('picture-sweep');
}

async function expectWebp(response: Response): Promise<void> {
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/webp']);
  const draw = await harness.draw();
  expect(await draw.look(new Uint8Array(await response.arrayBuffer()))).toMatchObject({ format: 'webp' });
}

const headersOf = ({ status, headers }: Answer) => ({ status, ...Object.fromEntries(headers) });

describe('pictures in a private bucket', () => {
  it('have URLs of ours that stay the same, and lead to signed ones of the store', async () => {
    const { app, wire, bucket } = await start();
    const user = await aUserWith(app, 1);
    const [before, after] = [
      await app.get('/api/auth/profile', user.bearer),
      await app.get('/api/auth/profile', user.bearer),
    ];
    expect(after.headers.get('etag')).toBe(before.headers.get('etag'));
    const [{ url, thumbnail_url: thumbnail }] = after.body.profile_pictures;
    expect(await objectsIn(bucket)).toEqual([thumbnail, url].map((each: string) => each.split('/').at(-1)));
    for (const own of [url, thumbnail]) {
      const { pathname, origin } = new URL(own);
      expect(origin).toBe(new URL(app.started.url).origin.replace('127.0.0.1', 'localhost'));
      const answer = await app.get(pathname);
      expect(headersOf(answer)).toMatchObject({
        status: 302,
        'cache-control': 'public, max-age=1800',
        'content-security-policy': "default-src 'none'; sandbox",
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      expect(answer.body).toBe('');
      const there = new URL(answer.headers.get('location')!);
      expect(there.origin).toBe(new URL(wire.url).origin);
      expect(there.searchParams.get('X-Amz-Expires')).toBe('3600');
      await expectWebp(await fetch(`${app.started.url}${pathname}`));
    }
  });

  it('are to be asked for by HEAD, too, and not again by whoever has them', async () => {
    const { app } = await start();
    const { body } = await upload(app, await app.signIn(), [small]);
    const { pathname } = new URL(body.items[0].url);
    const head = await fetch(`${app.started.url}${pathname}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'image/webp']);
    const tag = `"${pathname.split('/').at(-1)}"`;
    const kept = await app.get(pathname, { 'if-none-match': tag });
    expect(headersOf(kept)).toMatchObject({ status: 304, etag: tag });
    expect(kept.headers.get('location')).toBeNull();
    expectProblem(await app.get(`/pictures/${'0'.repeat(32)}.webp`), NOT_FOUND);
  });

  it('are gone with their deletion, and with that of the account', async () => {
    const { app, bucket } = await start();
    const user = await aUserWith(app, 2);
    const { body } = await app.get(PICTURES, user.bearer);
    const [first, second] = body.items.map(({ url }: { url: string }) => new URL(url).pathname);
    const { headers } = await app.get(first);
    await app.request('DELETE', `${PICTURES}/${body.items[0].id}`, { headers: user.bearer });
    expectProblem(await app.get(first), NOT_FOUND);
    expect((await fetch(headers.get('location')!)).status).toBe(404);
    expect(await objectsIn(bucket)).toEqual(await objectsOfRows(app));
    expect((await app.request('DELETE', '/api/auth/account', { headers: user.bearer })).status).toBe(204);
    expectProblem(await app.get(second), NOT_FOUND);
    await until(async () => (await objectsIn(bucket)).length === 0);
  });

  it('without a row are swept up, and no other', async () => {
    const { app, bucket } = await start();
    await aUserWith(app, 1);
    for (const key of [`${'0'.repeat(32)}.webp`, `${'0'.repeat(32)}-thumbnail.webp`, 'folder/kept.webp']) {
      await fetch(`${bucket}/${key}`, { method: 'PUT', body: 'x' });
    }
    await app.runJob('picture-sweep');
    expect(await objectsIn(bucket)).toHaveLength(5);
    await sweepLater(app);
    expect(await objectsIn(bucket)).toEqual([...(await objectsOfRows(app)), 'folder/kept.webp'].sort());
  });
});

describe('pictures in a bucket that everybody may read', () => {
  it('have the URLs of S3_PUBLIC_BASE_URL, where ours lead as well', async () => {
    const { app, bucket } = await start();
    const user = await aUserWith(app, 1);
    const open = await app.replica({
      env: {
        STORAGE_DRIVER: 's3',
        S3_BUCKET: 'pictures',
        S3_REGION: 'us-east-1',
        S3_PUBLIC_BASE_URL: `${bucket}/`,
      },
    });
    const { body } = await open.get('/api/auth/profile', user.bearer);
    const [{ url, thumbnail_url: thumbnail }] = body.profile_pictures;
    for (const there of [url, thumbnail]) {
      const file = there.split('/').at(-1);
      expect(there).toBe(`${bucket}/${file}`);
      await expectWebp(await fetch(there));
      const answer = await open.get(`/pictures/${file}`);
      expect(headersOf(answer)).toMatchObject({
        status: 302,
        location: there,
        'cache-control': 'public, max-age=3600',
      });
    }
    const { body: listed } = await open.get(PICTURES, user.bearer);
    expect(listed.items[0].url).toBe(url);
    expect((await open.get(`/api/users/${user.id}`, user.bearer)).status).toBe(404);
    await app.sql('DELETE FROM profile_pictures');
    expectProblem(await open.get(`/pictures/${url.split('/').at(-1)}`), NOT_FOUND);
  });
});

describe('while the store is away', () => {
  it('an upload is refused and leaves no row, nor, after a sweep, an object', async () => {
    const { app, wire, bucket } = await start();
    const user = await app.signIn();
    let puts = 0;
    wire.watch((direction, bytes) => {
      if (direction === 'query' && bytes.startsWith('PUT ')) puts += 1;
      // Lost after the first rendition of the second picture, and before it can be deleted.
      if (puts === 4) void wire.cut();
      return puts < 4;
    });
    expectProblem(await upload(app, user, [small, small]), UNAVAILABLE);
    expect(await pictureIds(app, user)).toEqual([]);
    expect(await objectsIn(bucket)).toHaveLength(3);
    expectProblem(await upload(app, user, [small]), UNAVAILABLE);
    wire.watch(() => true);
    await wire.mend();
    expect((await upload(app, user, [small])).status).toBe(201);
    await sweepLater(app);
    expect(await objectsIn(bucket)).toEqual(await objectsOfRows(app));
    const log = app.started.log.lines.join('');
    expect(log).toContain('ECONNREFUSED');
    expect(log).toContain('files of pictures were left to the sweeper');
    expect(log).not.toContain(SECRET);
  });

  it('a picture is deleted for everybody all the same, and its objects once it is back', async () => {
    const { app, wire, bucket } = await start();
    const user = await aUserWith(app, 2);
    const { body } = await app.get(PICTURES, user.bearer);
    const { pathname } = new URL(body.items[0].url);
    await wire.cut();
    const removed = await app.request('DELETE', `${PICTURES}/${body.items[0].id}`, { headers: user.bearer });
    expect(removed.status).toBe(204);
    expectProblem(await app.get(pathname), NOT_FOUND);
    expect(await objectsIn(bucket)).toHaveLength(4);
    await wire.mend();
    await sweepLater(app);
    expect(await objectsIn(bucket)).toEqual(await objectsOfRows(app));
  });
});

describe('a server that stops', () => {
  let store: ScriptedStore;
  beforeEach(async () => {
    store = await ScriptedStore.start();
  });
  afterEach(() => store.stop());

  it('lets go of its connections to the store', async () => {
    store.answers = () => ({ status: 200, body: '<ListBucketResult/>' });
    const { app } = await start({ S3_ENDPOINT: store.url });
    await app.runJob('picture-sweep');
    expect(await store.connections()).toBe(1);
    await app.started.close();
    await until(async () => (await store.connections()) === 0);
  });
});
