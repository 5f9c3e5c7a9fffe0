import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

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
import { aSmallPicture, expectPictures, PICTURES, upload } from './helpers/pictures.js';
import { until } from './helpers/eventually.js';

const TEXT = Buffer.from('no picture');

let small: Buffer;
beforeAll(async () => (small = await aSmallPicture()));
afterEach(() => harness.closeApps());

describe('UPLOADS_PER_HOUR', () => {
  const start = (perHour: number) =>
    TestApp.start({ env: { UPLOADS_PER_HOUR: String(perHour), ACCESS_TOKEN_TTL_SECONDS: '3600' } });

  it('counts every upload that is read, of one picture or more, refused or kept, within any hour', async () => {
    const app = await start(3);
    const ben = await app.signIn();
    let ana = await app.signIn();
    expect((await upload(app, ana, [small, small])).status).toBe(201);
    app.clock.advance(600);
    expect((await upload(app, ana, [TEXT])).status).toBe(415);
    expect((await upload(app, ana, [small])).status).toBe(201);
    app.clock.advance(600);
    const refused = await upload(app, ana, [small]);
    expectProblem(refused, { status: 429, code: 'rate_limited', retry_after: expect.any(Number) });
    const wait = refused.body.retry_after;
    expect(refused.headers.get('retry-after')).toBe(String(wait));
    // The first one falls out an hour after it was begun.
    expect(wait).toBeGreaterThan(2395);
    expect(wait).toBeLessThanOrEqual(2400);
    await expectPictures(app, ana, 3);
    expect((await upload(app, ben, [small])).status).toBe(201);
    app.clock.advance(wait);
    ana = await app.signIn(ana.phoneNumber);
    expect((await upload(app, ana, [small])).status).toBe(201);
    expect((await upload(app, ana, [small])).status).toBe(429);
    app.clock.advance(3600);
    ana = await app.signIn(ana.phoneNumber);
    expect((await upload(app, ana, [small])).status).toBe(201);
  });

  it('does not count what is refused before it is read: for the limit itself, or for six pictures', async () => {
    const app = await start(2);
    const user = await app.signIn();
    expect((await upload(app, user, Array<Buffer>(6).fill(small))).status).toBe(201);
    for (let time = 0; time < 3; time += 1) expect((await upload(app, user, [small])).status).toBe(409);
    expect(await countOf(app, user)).toBe(1);
    const { body } = await app.get(PICTURES, user.bearer);
    await app.request('DELETE', `${PICTURES}/${body.items[0].id}`, { headers: user.bearer });
    expect((await upload(app, user, [TEXT])).status).toBe(415);
    for (let time = 0; time < 3; time += 1) expect((await upload(app, user, [small])).status).toBe(429);
    expect(await countOf(app, user)).toBe(2);
  });

  it('holds for uploads at once on two replicas', async () => {
    const app = await start(4);
    const replica = await app.replica({ env: { UPLOADS_PER_HOUR: '4' } });
    const user = await app.signIn();
    let uploads: Promise<Answer[]> = Promise.resolve([]);
    // They meet at the row: none is counted before the others have come as far.
    await replica.started.transaction(async (transaction) => {
      await transaction.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [user.id]);
      uploads = atOnce(12, (index) => upload(index % 2 ? app : replica, user, [TEXT]));
      await until(async () => (await waiting(app)) >= 8);
    });
    expect(tally(await uploads)).toEqual({ 415: 4, 429: 8 });
    expect(await countOf(app, user)).toBe(4);
  });

  it('refuses before the body is read', async () => {
    const app = await start(1);
    const user = await app.signIn();
    await upload(app, user, [TEXT]);
    const socket = open(app, user);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 429 [^]*"code":"rate_limited"/);
    socket.destroy();
  });

  it('keeps only times of an hour, and none of an erased user', async () => {
    const app = await start(5);
    const user = await app.signIn();
    await upload(app, user, [TEXT]);
    await upload(app, user, [TEXT]);
    app.clock.advance(3601);
    const again = await app.signIn(user.phoneNumber);
    await upload(app, again, [TEXT]);
    expect(await countOf(app, user)).toBe(1);
    await app.request('DELETE', '/api/auth/account', { headers: again.bearer });
    expect(await countOf(app, user)).toBe(0);
  });
});

describe('the uploads of one user', () => {
  it('are at most six at once, and keep nobody else out, however slow they are', async () => {
    const app = await TestApp.start();
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const slow = Array.from({ length: 6 }, () => open(app, ana));
    await until(async () => (await countOf(app, ana)) === 6);
    const answers = await atOnce(70, () => upload(app, ana, [small]));
    expect(tally(answers)).toEqual({ 429: 70 });
    for (const { body } of answers) expect(body).toEqual(problem('rate_limited', { retry_after: 2 }));
    expect((await upload(app, ben, [small])).status).toBe(201);
    // Those who hang up make room at once, and leave nothing.
    for (const socket of slow) socket.destroy();
    await until(async () => (await upload(app, ana, [small])).status === 201);
    await expectPictures(app, ana, 1);
  });
});

async function countOf(app: TestApp, { id }: SignedInUser): Promise<number> {
  const [row] = await app.sql<{ uploads: number }>(
    'SELECT cardinality(uploads_at) AS uploads FROM users WHERE id = $1',
    [id],
  );
  return row!.uploads;
}

/** How many statements wait for a lock. */
async function waiting(app: TestApp): Promise<number> {
  const [row] = await app.sql<{ waiting: number }>(
    `SELECT count(*)::integer AS waiting FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return row!.waiting;
}

/** An upload that begins, and does not go on. */
function open(app: TestApp, { bearer }: SignedInUser): Socket {
  const { port, hostname } = new URL(app.started.url);
  const socket = connect(Number(port), hostname.replace(/[[\]]/g, ''));
  socket.write(
    `POST ${PICTURES} HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer.authorization}\r\n` +
      'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n' +
      '--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\nabc',
  );
  return socket;
}
