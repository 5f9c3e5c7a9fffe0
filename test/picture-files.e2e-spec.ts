import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { expectProblem, harness, TestApp } from './helpers/app.js';
import {
  aSmallPicture,
  aUserWith,
  pictureIds,
  PICTURES,
  strays,
  toBlob,
  upload,
} from './helpers/pictures.js';

const NOT_FOUND = { status: 404, code: 'not_found' };
const NOTHING_ASTRAY = { files: [], rows: [] };

let app: TestApp;
let small: Buffer;
beforeAll(async () => {
  app = await TestApp.start();
  small = await aSmallPicture();
});

describe('GET /pictures/{file}', () => {
  let paths: { large: string; thumbnail: string };
  beforeAll(async () => {
    const { body } = await upload(app, await app.signIn(), [small]);
    paths = {
      large: new URL(body.items[0].url).pathname,
      thumbnail: new URL(body.items[0].thumbnail_url).pathname,
    };
  });

  it('shows the file to everybody, to be kept for good, and never as a page', async () => {
    for (const path of Object.values(paths)) {
      const name = path.split('/').at(-1)!;
      const response = await fetch(`${app.started.url}${path}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'image/webp',
        'content-length': String(bytes.length),
        'content-disposition': `inline; filename="${name}"`,
        'content-security-policy': "default-src 'none'; sandbox",
        'cross-origin-resource-policy': 'cross-origin',
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        etag: `"${name}"`,
      });
      expect(bytes).toEqual(await readFile(join(app.started.pictures, name.slice(0, 2), name)));
    }
  });

  it('answers 304 to whoever has it, and the file to whoever has another', async () => {
    const tag = `"${paths.large.split('/').at(-1)}"`;
    for (const header of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const answer = await app.get(paths.large, { 'if-none-match': header });
      expect({ status: answer.status, body: answer.body, tag: answer.headers.get('etag') }).toEqual({
        status: 304,
        body: '',
        tag,
      });
      expect(answer.headers.get('cache-control')).toContain('immutable');
    }
    expect((await app.get(paths.large, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('answers HEAD with the same headers', async () => {
    const [get, head] = [await app.get(paths.large), await app.request('HEAD', paths.large)];
    expect([head.status, head.body]).toEqual([200, '']);
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
  });

  it('finds nothing by another name', async () => {
    const key = paths.large.slice('/pictures/'.length, -'.webp'.length);
    for (const name of [
      `${'0'.repeat(32)}.webp`,
      key,
      `${key}.WEBP`,
      `${key.toUpperCase()}.webp`,
      `${key}.jpg`,
      `${key}.webp.tmp`,
      `${key}-original.webp`,
      `..%2f${key.slice(0, 2)}%2f${key}.webp`,
      `${key.slice(0, 2)}/${key}.webp`,
      '%00',
      '..',
      'x',
    ]) {
      expectProblem(await app.get(`/pictures/${name}`), NOT_FOUND);
    }
  });

  it('finds nothing once the row is gone, though the file is there, and says so to who has it too', async () => {
    const user = await aUserWith(app, 1);
    const { body } = await app.get(PICTURES, user.bearer);
    const path = new URL(body.items[0].url).pathname;
    const name = path.split('/').at(-1)!;
    const kept = await readFile(join(app.started.pictures, name.slice(0, 2), name));
    await app.request('DELETE', `${PICTURES}/${body.items[0].id}`, { headers: user.bearer });
    const file = join(app.started.pictures, name.slice(0, 2), name);
    await writeFile(file, kept);
    expectProblem(await app.get(path), NOT_FOUND);
    expectProblem(await app.get(path, { 'if-none-match': `"${name}"` }), NOT_FOUND);
    await rm(file);
  });
});

describe('while the disk is away', () => {
  it('says so, keeps nothing half done, and serves again once it is back', async () => {
    const own = await TestApp.start({ database: await harness.database() });
    const folder = own.started.pictures;
    const user = await own.signIn();
    const { body } = await upload(own, user, [small]);
    const path = new URL(body.items[0].url).pathname;
    await rename(folder, `${folder}-away`);
    await writeFile(folder, 'not a folder');
    const unavailable = { status: 503, code: 'storage_unavailable' };
    expectProblem(await upload(own, user, [small, small]), unavailable);
    expectProblem(await own.get(path), unavailable);
    expect(await pictureIds(own, user)).toHaveLength(1);
    // The row goes; the file is left to the sweep.
    const removed = await own.request('DELETE', `${PICTURES}/${body.items[0].id}`, { headers: user.bearer });
    expect(removed.status).toBe(204);
    await rm(folder);
    await rename(`${folder}-away`, folder);
    expect((await upload(own, user, [small])).status).toBe(201);
    expect((await strays(own)).files).toHaveLength(2);
    await sweepLater(own);
    expect(await strays(own)).toEqual(NOTHING_ASTRAY);
  });

  it('and fails on the last of six files, deletes those before it', async () => {
    const kept = new Map<string, Uint8Array>();
    const storage = {
      put: async (key: string, bytes: Uint8Array) => {
        if (kept.size === 11) throw new Error('no space left');
        kept.set(key, bytes);
        return Promise.resolve();
      },
      delete: (keys: readonly string[]) => {
        for (const key of keys) kept.delete(key);
        return Promise.resolve();
      },
      get: () => Promise.resolve(undefined),
      list: () => [],
    };
    const own = await TestApp.start({ database: await harness.database(), storage });
    const user = await own.signIn();
    expectProblem(await upload(own, user, Array<Buffer>(6).fill(small)), {
      status: 500,
      code: 'internal_error',
    });
    expect(kept.size).toBe(0);
    expect(await pictureIds(own, user)).toEqual([]);
  });
});

describe('a server that is killed', () => {
  it.each([
    ['being decoded', 0],
    ['half stored', 1],
    ['stored', 2],
    ['removed', 2],
  ])(
    'while a picture is %s leaves no row without a file, nor, after a sweep, a file without a row',
    async (moment, left) => {
      const own = await TestApp.start({ database: await harness.database() });
      const user = await own.signIn();
      await upload(own, user, [small]);
      const doomed = await startKilled(own, moment);
      const [id = ''] = await pictureIds(own, user);
      const request =
        moment === 'removed'
          ? fetch(`${doomed.url}${PICTURES}/${id}`, { method: 'DELETE', headers: user.bearer })
          : fetch(`${doomed.url}${PICTURES}`, { method: 'POST', headers: user.bearer, body: aForm() });
      await expect(request).rejects.toThrow();
      expect(await doomed.end).toBe('SIGKILL');
      const { files, rows } = await strays(own);
      expect({ files: files.length, rows }).toEqual({ files: left, rows: [] });
      expect(await pictureIds(own, user)).toHaveLength(moment === 'removed' ? 0 : 1);
      await sweepLater(own);
      expect(await strays(own)).toEqual(NOTHING_ASTRAY);
    },
  );
});

function aForm(): FormData {
  const form = new FormData();
  form.append('pictures', toBlob(small), 'a.jpg');
  return form;
}

async function sweepLater(own: TestApp): Promise<void> {
  own.clock.advance(3700);
  await own.runJob('picture-sweep');
}

async function startKilled({ started }: TestApp, moment: string) {
  const script = fileURLToPath(new URL('./helpers/killed-server.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      APP_SECRET: 'a-secret-for-tests-and-for-nothing-else',
      DATABASE_URL: started.database,
      STORAGE_DIR: started.pictures,
      KILLED_AT: moment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = once(child, 'exit').then(([, signal]) => signal as string);
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { url, end };
}
