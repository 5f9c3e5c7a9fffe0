import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';

import type { ObjectStorage } from '../src/platform/storage/object-storage.js';
import { atOnce, harness } from './helpers/app.js';
import { type S3Limits, s3Storage } from './helpers/s3-storage.js';
import { ScriptedStore } from './helpers/scripted-store.js';
import { Wire } from './helpers/wire.js';

/** A driver, and what happens around it. */
interface Driven {
  storage: ObjectStorage;
  /** Puts what is not ours beside our objects. */
  addForeign(): Promise<void>;
  takeAway(): Promise<void>;
  bringBack(): Promise<void>;
  stop(): Promise<void>;
}

const UNAVAILABLE = { code: 'storage_unavailable', status: 503 };
const TYPE = 'image/webp';

async function disk(): Promise<Driven> {
  const { DiskStorage } = await harness.load<{ DiskStorage: new (directory: string) => ObjectStorage }>(
    'platform/storage/disk-storage.js',
  );
  const parent = await mkdtemp(join(tmpdir(), 'latchkey-objects-'));
  const folder = join(parent, 'objects');
  await mkdir(folder);
  return {
    storage: new DiskStorage(folder),
    addForeign: async () => {
      await writeFile(join(folder, 'ab.webp'), 'x');
      await mkdir(join(folder, 'ab'), { recursive: true });
      await writeFile(join(folder, 'ab', 'ABOUT.txt'), 'x');
      await mkdir(join(folder, 'backup'));
      await writeFile(join(folder, 'backup', 'ba01.webp'), 'x');
    },
    takeAway: async () => {
      await rename(folder, `${folder}-away`);
      await writeFile(folder, 'not a folder');
    },
    bringBack: async () => {
      await rm(folder);
      await rename(`${folder}-away`, folder);
    },
    stop: () => rm(parent, { recursive: true }),
  };
}

async function s3(): Promise<Driven> {
  const url = await harness.s3();
  const wire = await Wire.to(url);
  const addForeign = async (key: string) => {
    expect((await fetch(`${url}/pictures/${key}`, { method: 'PUT', body: 'x' })).status).toBe(200);
  };
  return {
    storage: await s3Storage({ endpoint: wire.url }),
    addForeign: async () => {
      await addForeign('ABOUT.txt');
      await addForeign('backup/ba01.webp');
    },
    takeAway: () => wire.cut(),
    bringBack: () => wire.mend(),
    stop: () => wire.cut(),
  };
}

describe.each([
  ['on disk', disk],
  ['in S3', s3],
])('objects %s', (_, start) => {
  let driven: Driven;
  let storage: ObjectStorage;
  beforeAll(async () => {
    driven = await start();
    storage = driven.storage;
  });
  beforeEach(async () => storage.delete((await listOf(storage)).map(({ key }) => key)));
  afterAll(() => driven.stop());

  const put = (key: string, content = `of ${key}`) => storage.put(key, Buffer.from(content), TYPE);
  const read = (key: string) => contentOf(storage, key);
  const keys = async () => (await listOf(storage)).map(({ key }) => key).sort();

  it('come back as they were put, and with their size', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256));
    await storage.put('ab01.webp', bytes, TYPE);
    const found = await storage.get('ab01.webp');
    expect(found?.size).toBe(bytes.length);
    expect(bytes.equals(await buffer(found!.stream))).toBe(true);
  });

  it('that are put again are the newer ones', async () => {
    await put('ab01.webp', 'a first, and a longer one');
    await put('ab01.webp', 'a second');
    expect(await read('ab01.webp')).toBe('a second');
    expect(await keys()).toEqual(['ab01.webp']);
  });

  it('that are put at once under one key are one of them, whole', async () => {
    const contents = Array.from({ length: 20 }, (_, index) => String(index).padStart(2, '0').repeat(5000));
    await atOnce(20, (index) => put('ab01.webp', contents[index]));
    expect(contents).toContain(await read('ab01.webp'));
    expect(await keys()).toEqual(['ab01.webp']);
  });

  it('that are not there are not found, and may be deleted all the same', async () => {
    await put('ab01.webp');
    expect(await storage.get('ab02.webp')).toBeUndefined();
    expect(await storage.get('cd01.webp')).toBeUndefined();
    await storage.delete(['ab02.webp', 'cd01.webp']);
    await storage.delete([]);
    expect(await keys()).toEqual(['ab01.webp']);
  });

  it('are deleted, any number at once, and no other', async () => {
    const doomed = Array.from({ length: 2500 }, (_, index) => `d${String(index).padStart(4, '0')}.webp`);
    const there = [0, 1, 998, 999, 1000, 1001, 1999, 2000, 2499].map((index) => doomed[index]!);
    for (const key of [...there, 'd2500.webp', 'spared.webp']) await put(key);
    await storage.delete(doomed);
    expect(await keys()).toEqual(['d2500.webp', 'spared.webp']);
    expect(await storage.get(there[0]!)).toBeUndefined();
  });

  it('are all listed, however many, with the time of their last change', async () => {
    const before = Date.now();
    const expected = Array.from({ length: 1050 }, (_, index) => `${(index * 37) % 100}k${index}.webp`);
    const todo = [...expected];
    await atOnce(16, async () => {
      for (let key = todo.pop(); key; key = todo.pop()) await put(key);
    });
    const found = await listOf(storage);
    expect(found.map(({ key }) => key).sort()).toEqual(expected.sort());
    for (const { modifiedAt } of found) {
      // Stores tell whole seconds.
      expect(modifiedAt.getTime()).toBeGreaterThanOrEqual(before - 1000);
      expect(modifiedAt.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
    }
  });

  it('are listed without what is not ours', async () => {
    await put('ab01.webp');
    await driven.addForeign();
    expect(await keys()).toEqual(['ab01.webp']);
  });

  it.each(['', '../ab01.webp', 'ab/01.webp', 'ab01', 'AB01.webp', '.webp', 'ab\0.webp', 'ab01.webp\n'])(
    'have no key like %j',
    async (key) => {
      for (const work of [() => put(key), () => storage.get(key), () => storage.delete(['ab01.webp', key])]) {
        await expect((async () => work())()).rejects.toThrow('not a key of this storage');
      }
    },
  );

  it('are unavailable while the store is away, then there as before, and nothing half done', async () => {
    await put('ab01.webp');
    await driven.takeAway();
    for (const work of [
      () => put('ab01.webp', 'another'),
      () => put('ab02.webp'),
      () => storage.get('ab01.webp'),
      () => storage.delete(['ab01.webp']),
      () => listOf(storage),
    ]) {
      await expect(work()).rejects.toMatchObject(UNAVAILABLE);
    }
    await driven.bringBack();
    expect(await read('ab01.webp')).toBe('of ab01.webp');
    expect(await keys()).toEqual(['ab01.webp']);
    await put('ab02.webp');
    expect(await keys()).toEqual(['ab01.webp', 'ab02.webp']);
  });
});

describe('an object in S3, to a browser,', () => {
  const HOUR = 3600;
  let store: string;
  let storage: ObjectStorage;
  let now: Date;
  beforeAll(async () => {
    store = await harness.s3();
    now = new Date();
    storage = await s3Storage({ endpoint: store }, { clock: { now: () => now } });
    await storage.put('ab01.webp', Buffer.from('<script>'), 'text/html');
  });

  const signed = async (method: 'GET' | 'HEAD' = 'GET') =>
    (await storage.temporaryUrlOf?.('ab01.webp', { method, contentType: TYPE }))!;

  it.each(['GET', 'HEAD'] as const)('is of the type that we say, and of no other, by %s', async (method) => {
    const { url, secondsLeft } = await signed(method);
    expect(secondsLeft).toBe(HOUR);
    const response = await fetch(url, { method });
    expect({ status: response.status, ...Object.fromEntries(response.headers) }).toMatchObject({
      status: 200,
      'content-type': TYPE,
      'content-length': '8',
      'content-disposition': 'inline; filename="ab01.webp"',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect(await response.text()).toBe(method === 'GET' ? '<script>' : '');
  });

  it('keeps its type, its name and how long it may be kept in the bucket itself, for a CDN', async () => {
    await storage.put('ab02.webp', Buffer.from('RIFF'), TYPE);
    const response = await fetch(`${store}/pictures/ab02.webp`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': TYPE,
      'content-disposition': 'inline; filename="ab02.webp"',
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });

  it('is refused without the signature, and after its time', async () => {
    const { url } = await signed();
    const bare = new URL(url);
    for (const name of [...bare.searchParams.keys()]) {
      if (name.startsWith('X-Amz-')) bare.searchParams.delete(name);
    }
    expect((await fetch(bare)).status).toBe(400);
    now = new Date(Date.now() - (HOUR + 60) * 1000);
    expect((await fetch((await signed()).url)).status).toBe(403);
    now = new Date();
  });

  it('is signed by the key of the environment where none is configured, for no longer than that lives', async () => {
    const expiration = new Date(Date.now() + 600_000);
    const script = `
      import { S3Storage } from ${JSON.stringify(new URL('../dist/platform/storage/s3-storage.js', import.meta.url))};
      const config = { driver: 's3', endpoint: ${JSON.stringify(store)}, bucket: 'pictures', region: 'us-east-1' };
      const storage = new S3Storage(config, { now: () => new Date() });
      const { url, secondsLeft } = await storage.temporaryUrlOf('ab01.webp', { method: 'GET', contentType: 'image/webp' });
      console.log(JSON.stringify({ url, secondsLeft }));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      {
        env: {
          AWS_ACCESS_KEY_ID: 'S3RVER',
          AWS_SECRET_ACCESS_KEY: 'S3RVER',
          AWS_SESSION_TOKEN: 'of-the-role',
          AWS_CREDENTIAL_EXPIRATION: expiration.toISOString(),
        },
      },
    );
    const { url, secondsLeft } = JSON.parse(stdout) as { url: string; secondsLeft: number };
    expect(secondsLeft).toBeGreaterThan(0);
    expect(secondsLeft).toBeLessThanOrEqual(600);
    const { searchParams } = new URL(url);
    expect(searchParams.get('X-Amz-Expires')).toBe(String(secondsLeft));
    expect(searchParams.get('X-Amz-Security-Token')).toBe('of-the-role');
    expect((await fetch(url)).status).toBe(200);
  });

  it('has a URL for good below S3_PUBLIC_BASE_URL, and else none', async () => {
    expect(storage.publicUrlOf?.('ab01.webp')).toBeUndefined();
    const open = await s3Storage({ endpoint: store, publicBaseUrl: 'https://cdn.example.com/p' });
    expect(open.publicUrlOf?.('ab01.webp')).toBe('https://cdn.example.com/p/ab01.webp');
  });
});

describe('a store that speaks S3', () => {
  const SECRET = 'wJalrXUtnFEMI-K7MDENG-bPxRfiCY';
  const LIMITS: Partial<S3Limits> = { answerMs: 200, deadlineMs: 5000 };
  let store: ScriptedStore;
  let storage: ObjectStorage;
  beforeEach(async () => {
    store = await ScriptedStore.start();
    storage = await s3Storage({ endpoint: store.url, secret: SECRET }, { limits: LIMITS });
  });
  afterEach(() => store.stop());

  const everyWork: [string, () => Promise<unknown>][] = [
    ['put', () => storage.put('ab01.webp', Buffer.from('x'), TYPE)],
    ['get', () => storage.get('ab01.webp')],
    ['delete', () => storage.delete(['ab01.webp'])],
    ['list', () => listOf(storage)],
  ];

  it('is asked in the way that stores of every age know', async () => {
    store.answers = () => ({ status: 200, body: '<DeleteResult/>' });
    await storage.put('ab01.webp', Buffer.from('x'), TYPE);
    await storage.delete(['ab01.webp', 'ab02.webp']);
    const [put, deletion] = store.requests;
    expect([put!.line, deletion!.line]).toEqual([
      'PUT /pictures/ab01.webp?x-id=PutObject',
      'POST /pictures/?delete=',
    ]);
    const checksums = ({ headers }: { headers: Record<string, unknown> }) =>
      Object.keys(headers).filter((name) => /checksum|md5|trailer|transfer/.test(name));
    expect([checksums(put!), checksums(deletion!)]).toEqual([[], ['content-md5']]);
    const { createHash } = await import('node:crypto');
    expect(deletion!.headers['content-md5']).toBe(createHash('md5').update(deletion!.body).digest('base64'));
  });

  it.each(everyWork)('that answers nothing makes %s unavailable', async (_, work) => {
    store.answers = () => 'nothing';
    await expect(work()).rejects.toMatchObject(UNAVAILABLE);
    expect(store.requests).toHaveLength(3);
  });

  it.each(everyWork)('is waited for by %s no longer than all attempts may take', async (_, work) => {
    storage = await s3Storage(
      { endpoint: store.url },
      { limits: { answerMs: 60_000, deadlineMs: 200, attempts: 3 } },
    );
    store.answers = () => 'nothing';
    const error = await work().catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject(UNAVAILABLE);
    expect((error as { cause?: { message: string } }).cause?.message).toContain('no answer in 200 ms');
    expect(store.requests).toHaveLength(1);
  });

  it.each(everyWork)('that fails is asked by %s three times in all', async (_, work) => {
    store.answers = () => ({ status: 503, body: errorOf('SlowDown') });
    await expect(work()).rejects.toMatchObject(UNAVAILABLE);
    expect(store.requests).toHaveLength(3);
  });

  it('that fails once is no matter', async () => {
    store.answers = () => ({ status: store.requests.length === 1 ? 500 : 200, body: '<DeleteResult/>' });
    for (const [, work] of everyWork.filter(([name]) => name === 'put' || name === 'delete')) {
      store.requests.length = 0;
      await work();
      expect(store.requests).toHaveLength(2);
    }
  });

  it.each(everyWork)(
    'that refuses our key makes %s unavailable, and no secret goes to the log',
    async (_, work) => {
      store.answers = () => ({ status: 403, body: errorOf('SignatureDoesNotMatch') });
      const error = await work().catch((thrown: unknown) => thrown as Error);
      expect(error).toMatchObject({
        ...UNAVAILABLE,
        cause: { message: expect.stringMatching(/^SignatureDoesNotMatch 403 /) },
      });
      expect(store.requests).toHaveLength(1);
      const { inspect } = await import('node:util');
      const all = inspect(error, { depth: 20, showHidden: true });
      const signature = /Signature=(\w+)/.exec(String(store.requests[0]!.headers['authorization']))?.[1];
      expect(signature).toMatch(/^[0-9a-f]{64}$/);
      expect([all.includes(SECRET), all.includes(signature!)]).toEqual([false, false]);
    },
  );

  it.each(everyWork)('without our bucket makes %s unavailable', async (_, work) => {
    store.answers = () => ({ status: 404, body: errorOf('NoSuchBucket') });
    await expect(work()).rejects.toMatchObject(UNAVAILABLE);
  });

  it('that deletes all but one has not deleted', async () => {
    store.answers = () => ({
      status: 200,
      body: '<DeleteResult><Error><Key>ab02.webp</Key><Code>AccessDenied</Code></Error></DeleteResult>',
    });
    await expect(storage.delete(['ab01.webp', 'ab02.webp'])).rejects.toMatchObject({
      ...UNAVAILABLE,
      cause: { message: expect.stringContaining('AccessDenied') },
    });
  });

  it('that falls silent within an object breaks its stream off', async () => {
    store.answers = () => ({ status: 200, body: 'RIFF', length: 100 });
    const found = await storage.get('ab01.webp');
    expect(found?.size).toBe(100);
    await expect(buffer(found!.stream)).rejects.toThrow();
  });

  it('that falls silent within a list makes it unavailable', async () => {
    store.answers = () => ({ status: 200, body: '<ListBucketResult>', length: 100 });
    await expect(listOf(storage)).rejects.toMatchObject(UNAVAILABLE);
  });
});

function errorOf(code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>No.</Message></Error>`;
}

async function listOf(storage: ObjectStorage): Promise<{ key: string; modifiedAt: Date }[]> {
  const found = [];
  for await (const object of storage.list()) found.push(object);
  return found;
}

async function contentOf(storage: ObjectStorage, key: string): Promise<string | undefined> {
  const found = await storage.get(key);
  return found && (await buffer(found.stream)).toString();
}
