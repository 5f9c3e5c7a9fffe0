import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { harness, TestApp } from './helpers/app.js';
import { aSmallPicture, pictureIds, strays, upload } from './helpers/pictures.js';
import { Queue } from './helpers/queue.js';
import { until } from './helpers/eventually.js';

const NOTHING_ASTRAY = { files: [], rows: [] };

let small: Buffer;
beforeAll(async () => {
  small = await aSmallPicture();
});
afterEach(() => harness.closeApps());

const sweep = (own: TestApp) => own.runJob('picture-sweep');

describe('the sweep', () => {
  it('spares files younger than an hour, and those of pictures, and takes what a write left unfinished', async () => {
    const own = await TestApp.start({ database: await harness.database() });
    const user = await own.signIn();
    await upload(own, user, [small]);
    const shard = join(own.started.pictures, 'ab');
    await mkdir(shard, { recursive: true });
    const leftovers = [`ab${'0'.repeat(30)}.webp`, `ab${'1'.repeat(32)}.tmp`];
    for (const name of leftovers) await writeFile(join(shard, name), 'x');
    await sweep(own);
    expect((await strays(own)).files.sort()).toEqual(leftovers);
    const longAgo = new Date(own.clock.now().getTime() - 3_700_000);
    for (const name of leftovers) await utimes(join(shard, name), longAgo, longAgo);
    await sweep(own);
    await expect(strays(own)).resolves.toEqual(NOTHING_ASTRAY);
    expect(await pictureIds(own, user)).toHaveLength(1);
  });

  it('is done at a start, if its hour has come while nobody was up', async () => {
    const database = await harness.database();
    const first = await TestApp.start({ database });
    await mkdir(join(first.started.pictures, 'ab'));
    await writeFile(join(first.started.pictures, 'ab', `ab${'2'.repeat(30)}.webp`), 'x');
    await first.started.close();
    first.clock.advance(3700);
    const second = await first.replica();
    await until(async () => (await strays(second)).files.length === 0);
  });

  it('is done by one of two replicas, every hour', async () => {
    const database = await harness.database();
    const listed = new Queue<number>();
    const storageOf = (replica: number) => ({
      list: () => {
        listed.push(replica);
        return [];
      },
    });
    const one = await TestApp.start({ database, storage: storageOf(1) });
    const two = await one.replica({ storage: storageOf(2) });
    for (let hour = 1; hour <= 3; hour += 1) {
      one.clock.advance(3600);
      await Promise.all([one, two].map(lookAtSchedule));
      await listed.next();
    }
    await Promise.all([one, two].map((app) => app.started.close()));
    expect(listed.size).toBe(0);
  });

  it('does not take the pictures of another database for its own', async () => {
    const own = await TestApp.start({ database: await harness.database() });
    const shard = join(own.started.pictures, 'ab');
    await mkdir(shard);
    for (let index = 0; index < 201; index += 1) {
      await writeFile(join(shard, `ab${String(index).padStart(30, '0')}.webp`), 'x');
    }
    await sweepLater(own);
    expect(await readdir(shard)).toHaveLength(201);
    expect(own.started.log.lines.join('')).toContain('does this store belong to it?');
  });

  it('is left off when the server stops', async () => {
    const begun = new Queue<true>();
    const endless = async function* () {
      for (let index = 0; ; index += 1) {
        if (index === 1) begun.push(true);
        yield { key: `ab${String(index).padStart(30, '0')}.webp`, modifiedAt: new Date(0) };
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const own = await TestApp.start({ database: await harness.database(), storage: { list: endless } });
    const jobs = await own.jobs();
    await own.started.transaction((transaction) => jobs.add(transaction, 'picture-sweep', {}));
    await begun.next();
    await own.started.close();
  });
});

async function lookAtSchedule({ started }: TestApp): Promise<void> {
  const schedule = await started.provider<{ look(): Promise<void> }>(
    'platform/jobs/job-schedule.js',
    'JobSchedule',
  );
  await schedule.look();
}

async function sweepLater(own: TestApp): Promise<void> {
  own.clock.advance(3700);
  await sweep(own);
}
