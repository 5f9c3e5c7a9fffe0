import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expectProblem, harness, TestApp } from './helpers/app.js';
import { decodersOf, environmentOf, mebibytesOf } from './helpers/children.js';
import { aSmallPicture, aUserWith, type Draw, expectPictures, upload } from './helpers/pictures.js';
import { serve, type ServerProcess } from './helpers/server-process.js';
import { until } from './helpers/eventually.js';

// Pictures are decoded in processes of their own; what Linux tells of them is looked at.

const UNREADABLE = { status: 422, code: 'picture_unreadable' };

interface DecoderInTests {
  weigh(file: Buffer): Promise<number>;
  decode(): Promise<{ width: number }>;
  kill(): void;
  isAlive: boolean;
}

interface DecoderModule {
  Decoder: { start(options?: { module?: string; maxMs?: number }): Promise<DecoderInTests> };
}

let draw: Draw;
let small: Buffer;
beforeAll(async () => {
  draw = await harness.draw();
  small = await aSmallPicture();
});
let server: ServerProcess | undefined;
afterEach(async () => {
  server?.child.kill('SIGKILL');
  server = undefined;
  await harness.closeApps();
});

describe('a decoder', () => {
  let start: DecoderModule['Decoder']['start'];
  const started: DecoderInTests[] = [];
  beforeAll(async () => {
    const { Decoder } = await harness.load<DecoderModule>('pictures/decoder.js');
    start = async (options) => {
      const decoder = await Decoder.start(options);
      started.push(decoder);
      return decoder;
    };
  });
  afterEach(() => started.splice(0).forEach((decoder) => decoder.kill()));

  it('weighs pictures by what decoding them needs', async () => {
    const decoder = await start();
    const weight = async (type: string, options: Record<string, unknown>) =>
      (await decoder.weigh(await draw.picture(type, options))) / (320 * 240);
    expect(await weight('jpeg', {})).toBe(0);
    expect(await weight('png', {})).toBe(0);
    expect(await weight('png', { progressive: true })).toBe(3);
    expect(await weight('png', { progressive: true, colours: 'rgb16' })).toBe(6);
    expect(await weight('jpeg', { progressive: true })).toBe(6);
    expect(await weight('jpeg', { progressive: true, colours: 'cmyk' })).toBe(8);
    expect(await weight('webp', {})).toBe(5);
    expect(await weight('avif', {})).toBe(20);
    expect(await weight('avif', { bitdepth: 10 })).toBe(25);
  });

  it('that gives no answer in time is ended, and the picture refused', async () => {
    const before = await decodersOf(process.pid);
    const decoder = await start({ maxMs: 2000 });
    const [id = 0] = (await decodersOf(process.pid)).filter((one) => !before.includes(one));
    process.kill(id, 'SIGSTOP');
    await expect(decoder.weigh(small)).rejects.toMatchObject({
      ...UNREADABLE,
      cause: { message: 'the decoder gave no answer in 2000 ms' },
    });
    expect(decoder.isAlive).toBe(false);
    await until(async () => !(await decodersOf(process.pid)).includes(id));
  });

  it('outlives the signals that stop a server, which a terminal or systemd sends to all of its processes', async () => {
    const before = await decodersOf(process.pid);
    const decoder = await start();
    const [id = 0] = (await decodersOf(process.pid)).filter((one) => !before.includes(one));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(id, signal);
    await decoder.weigh(small);
    expect((await decoder.decode()).width).toBeGreaterThan(0);
  });

  it('that cannot even be forked leaves the service unavailable', async () => {
    await expect(start({ module: '\0' })).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  it('that does not start leaves the service unavailable', async () => {
    await expect(start({ module: '/dev/null' })).rejects.toMatchObject({
      code: 'service_unavailable',
      cause: { message: 'the decoder ended with 0' },
    });
  });
});

describe('a decoder of a server that goes after others already', () => {
  const SCRIPT = `
    const { getPriority, setPriority } = await import('node:os');
    setPriority(10);
    const { Decoder } = await import(process.argv[1]);
    const decoder = await Decoder.start();
    console.log(getPriority(decoder.child.pid));
    decoder.kill();`;

  it('starts, and goes after them as well', async () => {
    const module = new URL('../dist/pictures/decoder.js', import.meta.url).href;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', SCRIPT, module],
      { env: {} },
    );
    expect(stdout).toBe('10\n');
  });
});

describe('the loaders of a decoder', () => {
  // sharp itself, past our look at the first bytes, in a process that is prepared as decoders are.
  const SCRIPT = `
    import sharp from 'sharp';
    const [module, ...files] = process.argv.slice(1);
    (await import(module)).restrictDecoders();
    const answers = await Promise.all(files.map((file) => {
      const bytes = Buffer.from(file, 'base64');
      return sharp(bytes).toBuffer().then(({ length }) => 'decoded', ({ message }) => message);
    }));
    process.stdout.write(JSON.stringify({ answers, threads: sharp.concurrency(), cache: sharp.cache().memory.max }));`;

  it('are those of the four types, whatever sharp is given; one thread and no cache', async () => {
    const SVG =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
    const taken = await Promise.all(['jpeg', 'png', 'webp', 'avif'].map((type) => draw.picture(type)));
    const refused = [
      Buffer.from(SVG),
      Buffer.from(`<?xml version="1.0"?>${SVG}`),
      await draw.picture('gif'),
      await draw.picture('tiff'),
      await draw.picture('jp2').catch(() => Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1')),
      Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n'),
      Buffer.from('P6 1 1 255 abc'),
      Buffer.from(
        'push graphic-context\nviewbox 0 0 9 9\nfill "url(https://example.com/)"\npop graphic-context',
      ),
    ];
    const module = new URL('../dist/pictures/picture-processing.js', import.meta.url).href;
    const files = [...taken, ...refused].map((file) => file.toString('base64'));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', SCRIPT, module, ...files],
      { env: {} },
    );
    const { answers, threads, cache } = JSON.parse(stdout) as {
      answers: string[];
      threads: number;
      cache: number;
    };
    expect(answers.slice(0, 4)).toEqual(Array(4).fill('decoded'));
    for (const answer of answers.slice(4)) {
      expect(answer).toMatch(/unsupported image format|operation is blocked/);
    }
    expect({ threads, cache }).toEqual({ threads: 1, cache: 0 });
  });
});

describe('a server', () => {
  it('decodes in processes that hold none of its secrets, go after it, and fall before it', async () => {
    const app = await TestApp.start();
    const before = await decodersOf(process.pid);
    await aUserWith(app, 1);
    const [id = 0] = (await decodersOf(process.pid)).filter((one) => !before.includes(one));
    const names = (await environmentOf(id)).map((variable) => variable.split('=')[0]);
    const allowed = ['PATH', 'LD_LIBRARY_PATH', 'VIPS_BLOCK_UNTRUSTED', 'MALLOC_ARENA_MAX'];
    expect(names.filter((name) => !allowed.includes(name!) && !name!.startsWith('NODE_CHANNEL'))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['VIPS_BLOCK_UNTRUSTED', 'MALLOC_ARENA_MAX']));
    await app.started.close();
    await until(async () => !(await decodersOf(process.pid)).includes(id));
  });

  it('outlives a picture that is the end of its decoder, and decodes the next one', async () => {
    const app = await TestApp.start();
    const user = await app.signIn();
    const before = await decodersOf(process.pid);
    // Some seconds of work.
    const doomed = upload(app, user, [await draw.flat('avif', { effort: 0 })]);
    const mine = async () => (await decodersOf(process.pid)).filter((id) => !before.includes(id));
    await until(async () => (await mine()).length > 0);
    const [id = 0] = await mine();
    await until(async () => (await mebibytesOf(id, 'VmRSS')) > 150);
    process.kill(id, 'SIGSEGV');
    expectProblem(await doomed, UNREADABLE);
    expect(app.started.log.lines.join('')).toContain('a picture was the end of its decoder');
    await expectPictures(app, user, 0);
    expect((await upload(app, user, [small])).status).toBe(201);
  });

  it('decodes one picture that needs much memory at a time, others beside it, and keeps none of the memory', async () => {
    const app = await TestApp.start();
    const users = await Promise.all(Array.from({ length: 3 }, () => app.signIn()));
    const before = await decodersOf(process.pid);
    const mine = async () => (await decodersOf(process.pid)).filter((id) => !before.includes(id));
    const heavy = await draw.flat('png', { progressive: true });
    const large: number[] = [];
    const uploads = Promise.all(users.map((user) => upload(app, user, [heavy])));
    const isOver = uploads.then(() => true);
    await until(async () => {
      const sizes = await Promise.all((await mine()).map((id) => mebibytesOf(id, 'VmRSS')));
      large.push(sizes.filter((size) => size > 180).length);
      return Promise.race([isOver, Promise.resolve(false)]);
    });
    expect((await uploads).map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(Math.max(...large)).toBe(1);
    await until(async () => (await mine()).length === 0);
  });

  it('decodes others while pictures that need much memory wait for each other', async () => {
    const app = await TestApp.start();
    const [one, two, other] = [await app.signIn(), await app.signIn(), await app.signIn()];
    const before = await decodersOf(process.pid);
    const mine = async () => (await decodersOf(process.pid)).filter((id) => !before.includes(id));
    const heavy = await draw.flat('avif', { effort: 0 });
    const first = upload(app, one, [heavy]);
    await until(async () => (await mine()).length > 0);
    const [id = 0] = await mine();
    await until(async () => (await mebibytesOf(id, 'VmRSS')) > 150);
    process.kill(id, 'SIGSTOP');
    const second = upload(app, two, [heavy]);
    await until(async () => (await mine()).length > 1);
    expect((await upload(app, other, [small])).status).toBe(201);
    process.kill(id, 'SIGCONT');
    expect([(await first).status, (await second).status]).toEqual([201, 201]);
  });

  it('that is killed takes its decoders with it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'latchkey-decoders-'));
    const database = await harness.database();
    server = await serve({
      directory,
      environment: {
        DATABASE_URL: database,
        STORAGE_DIR: join(directory, 'pictures'),
        APP_SECRET: 'a-secret-for-tests-and-for-nothing-else',
      },
    });
    const { child, url } = server;
    const app = TestApp.at(url, database);
    const user = await app.signIn();
    // It decodes while the server dies.
    const request = upload(app, user, [await draw.flat('avif', { effort: 0 })]);
    request.catch(() => undefined);
    await until(async () => (await decodersOf(child.pid!)).length > 0);
    const [id = 0] = await decodersOf(child.pid!);
    await until(async () => (await mebibytesOf(id, 'VmRSS')) > 150);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect(request).rejects.toThrow('fetch failed');
    await until(() => Promise.resolve(!isRunning(id)));
    await rm(directory, { recursive: true, force: true });
  });
});

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}
