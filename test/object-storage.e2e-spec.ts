import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import type { ObjectStorage } from '../src/platform/storage/object-storage.js';
import { atOnce, harness } from './helpers/app.js';
import { contentOf, listOf, UNAVAILABLE } from './helpers/objects.js';
import { closeS3Storages, s3Storage } from './helpers/s3-storage.js';
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

const TYPE = 'image/webp';

afterAll(closeS3Storages);

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
