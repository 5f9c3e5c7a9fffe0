import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { inspect, promisify } from 'node:util';

import type { ObjectStorage } from '../src/platform/storage/object-storage.js';
import { harness } from './helpers/app.js';
import { listOf, UNAVAILABLE } from './helpers/objects.js';
import { isSignedFor } from './helpers/s3-signature.js';
import { closeS3Storages, type S3Limits, s3Storage } from './helpers/s3-storage.js';
import { ScriptedStore } from './helpers/scripted-store.js';
import { Wire } from './helpers/wire.js';

const TYPE = 'image/webp';

afterAll(closeS3Storages);

describe('an object in S3', () => {
  it('whose bytes do not all arrive is not there', async () => {
    const wire = await Wire.to(await harness.s3());
    const storage = await s3Storage({ endpoint: wire.url }, { limits: { answerMs: 300, attempts: 1 } });
    let arrived = 0;
    wire.watch((direction, bytes) => {
      if (direction === 'query') arrived += bytes.length;
      return arrived < 200_000;
    });
    const put = storage.put('ab01.webp', Buffer.alloc(1_000_000, 'x'), TYPE);
    await expect(put).rejects.toMatchObject(UNAVAILABLE);
    expect(arrived).toBeGreaterThan(200_000);
    await wire.cut();
    wire.watch(() => true);
    await wire.mend();
    expect(await storage.get('ab01.webp')).toBeUndefined();
    expect(await listOf(storage)).toEqual([]);
    await wire.cut();
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
    const signedFor = ['GET', 'HEAD', 'PUT', 'DELETE'].filter((other) =>
      isSignedFor(other, new URL(url), 'S3RVER'),
    );
    expect(signedFor).toEqual([method]);
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
    await listOf(storage);
    const [put, deletion, list] = store.requests;
    expect([put!.line, deletion!.line, list!.line]).toEqual([
      'PUT /pictures/ab01.webp?x-id=PutObject',
      'POST /pictures/?delete=',
      // Folders of others are not even read.
      'GET /pictures/?delimiter=%2F&list-type=2',
    ]);
    const checksums = ({ headers }: { headers: Record<string, unknown> }) =>
      Object.keys(headers).filter((name) => /checksum|md5|trailer|transfer/.test(name));
    expect([checksums(put!), checksums(deletion!)]).toEqual([[], ['content-md5']]);
    expect(deletion!.headers['content-md5']).toBe(createHash('md5').update(deletion!.body).digest('base64'));
  });

  it('is asked to delete a thousand at once, and no more', async () => {
    store.answers = () => ({ status: 200, body: '<DeleteResult/>' });
    await storage.delete(Array.from({ length: 2001 }, (_, index) => `d${index}.webp`));
    expect(store.requests.map(({ body }) => body.split('<Key>').length - 1)).toEqual([1000, 1000, 1]);
  });

  it.each(everyWork)('that answers nothing, or without end, makes %s unavailable', async (_, work) => {
    for (const silence of ['nothing', 'drip'] as const) {
      store.requests.length = 0;
      store.answers = () => silence;
      await expect(work()).rejects.toMatchObject(UNAVAILABLE);
      expect({ silence, requests: store.requests.length }).toEqual({ silence, requests: 3 });
    }
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
