import { DecodeQueue } from './decode-queue.js';

/** Work that ends when it is told to. */
function held(): { work: () => Promise<string>; end: () => void; fail: () => void; hasBegun: () => boolean } {
  let begun = false;
  let end: () => void = () => undefined;
  let fail: () => void = () => undefined;
  const done = new Promise<string>((resolve, reject) => {
    end = () => resolve('done');
    fail = () => reject(new Error('failed'));
  });
  const work = () => {
    begun = true;
    return done;
  };
  return { work, end, fail, hasBegun: () => begun };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const UNAVAILABLE = { code: 'service_unavailable' };

describe('DecodeQueue', () => {
  it('runs as many at once as it has slots, the others in the order in which they came', async () => {
    const queue = new DecodeQueue({ slots: 2 });
    const jobs = Array.from({ length: 5 }, held);
    const order: number[] = [];
    const all = jobs.map(({ work }, index) => queue.run(work).then(() => order.push(index)));
    await settled();
    expect(jobs.map(({ hasBegun }) => hasBegun())).toEqual([true, true, false, false, false]);
    for (const { end } of jobs) {
      end();
      await settled();
    }
    await Promise.all(all);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it('lets nobody in before those who wait', async () => {
    const queue = new DecodeQueue({ slots: 1 });
    const [first, second, third] = [held(), held(), held()];
    const running = queue.run(first.work);
    const waiting = queue.run(second.work);
    first.end();
    await running;
    const late = queue.run(third.work);
    await settled();
    expect([second.hasBegun(), third.hasBegun()]).toEqual([true, false]);
    second.end();
    third.end();
    await expect(Promise.all([waiting, late])).resolves.toEqual(['done', 'done']);
  });

  it('frees the slot of what fails', async () => {
    const queue = new DecodeQueue({ slots: 1 });
    const job = held();
    const failing = queue.run(job.work);
    job.fail();
    await expect(failing).rejects.toThrow('failed');
    await expect(queue.run(() => Promise.resolve('next'))).resolves.toBe('next');
  });

  it('refuses whose turn does not come in time, and nobody else', async () => {
    const queue = new DecodeQueue({ slots: 1, maxWaitMs: 20 });
    const job = held();
    const running = queue.run(job.work);
    const refused = held();
    await expect(queue.run(refused.work)).rejects.toMatchObject(UNAVAILABLE);
    job.end();
    await running;
    expect(refused.hasBegun()).toBe(false);
    await expect(queue.run(() => Promise.resolve('next'))).resolves.toBe('next');
  });

  it('admits as many as can run and wait, and refuses one more at once', async () => {
    const queue = new DecodeQueue({ slots: 1, maxWaiting: 2 });
    const jobs = Array.from({ length: 3 }, held);
    const admitted = jobs.map(({ work }, owner) => queue.admit(String(owner), work));
    const refused = held();
    await expect(queue.admit('3', refused.work)).rejects.toMatchObject(UNAVAILABLE);
    expect(refused.hasBegun()).toBe(false);
    jobs[0]!.end();
    await admitted[0];
    await expect(queue.admit('3', () => Promise.resolve('in'))).resolves.toBe('in');
    jobs.slice(1).forEach(({ end }) => end());
    await Promise.all(admitted);
  });

  it('admits six of one owner, refuses one more at once, and keeps nobody else out', async () => {
    const queue = new DecodeQueue({ slots: 1 });
    const jobs = Array.from({ length: 6 }, held);
    const admitted = jobs.map(({ work }) => queue.admit('ana', work));
    const refused = held();
    await expect(queue.admit('ana', refused.work)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(refused.hasBegun()).toBe(false);
    await expect(queue.admit('ben', () => Promise.resolve('in'))).resolves.toBe('in');
    jobs[0]!.fail();
    await expect(admitted[0]).rejects.toThrow('failed');
    await expect(queue.admit('ana', () => Promise.resolve('in'))).resolves.toBe('in');
    jobs.slice(1).forEach(({ end }) => end());
    await Promise.all(admitted.slice(1));
  });
});
