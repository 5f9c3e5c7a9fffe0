import { type Answer, atOnce, expectProblem, type SignedInUser, tally, TestApp } from './helpers/app.js';
import { aCompleteUser, patch } from './helpers/profile.js';
import { seededRandom } from './helpers/seeded-random.js';

const [SECOND, MINUTE, HOUR] = [1, 60, 60 * 60];
const PATH = '/api/auth/profile/coordinates';

interface Point {
  latitude: number;
  longitude: number;
  accuracy_m: number | null;
  recorded_at: string;
}

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const put = ({ bearer }: SignedInUser, body: object, on = app) =>
  on.request('PUT', PATH, { body, headers: bearer });
const clear = ({ bearer }: SignedInUser, on = app) => on.request('DELETE', PATH, { headers: bearer });
const history = ({ bearer }: SignedInUser, query = '', on = app) => on.get(`${PATH}/history${query}`, bearer);
const profile = ({ bearer }: SignedInUser) => app.get('/api/auth/profile', bearer);

const trailOf = async (user: SignedInUser): Promise<Point[]> =>
  (await history(user, '?limit=100')).body.items as Point[];
const lastOf = async (user: SignedInUser): Promise<Point | null> =>
  (await profile(user)).body.coordinates as Point | null;

/** The time of the app, so many seconds ago. */
const ago = (seconds: number, on = app) => new Date(on.clock.now().getTime() - seconds * 1000).toISOString();

/** A point that is told from others by its latitude. */
const aPoint = (latitude: number, recordedAt = ago(0)): Point => ({
  latitude,
  longitude: -9.1393,
  accuracy_m: null,
  recorded_at: recordedAt,
});

describe('PUT /api/auth/profile/coordinates', () => {
  it('puts the point on the profile and into the trail, before the profile is completed too', async () => {
    const ana = await app.signIn();
    expect(await lastOf(ana)).toBeNull();
    const point = { latitude: 38.722252123456785, longitude: -9.139336612345678, accuracy_m: 12.5 };
    const recorded_at = '2026-03-01T14:00:00.123+02:00';
    const { status, body } = await put(ana, { ...point, recorded_at });
    expect([status, body]).toEqual([204, '']);
    const expected = { ...point, recorded_at: '2026-03-01T12:00:00.123Z' };
    expect(await lastOf(ana)).toEqual(expected);
    app.clock.advance(SECOND);
    const before = app.clock.now().getTime();
    await put(ana, { latitude: -90, longitude: 180 });
    const last = await lastOf(ana);
    expect(last).toEqual({
      latitude: -90,
      longitude: 180,
      accuracy_m: null,
      recorded_at: expect.any(String),
    });
    expect(new Date(last!.recorded_at).getTime()).toBeGreaterThanOrEqual(before);
    expect(new Date(last!.recorded_at).getTime()).toBeLessThanOrEqual(app.clock.now().getTime());
  });

  it('puts a late point into the trail, and leaves the profile where it is', async () => {
    const ana = await app.signIn();
    const [late, middle, last] = [aPoint(1, ago(HOUR)), aPoint(2, ago(MINUTE)), aPoint(3)];
    for (const point of [last, late, middle]) expect((await put(ana, point)).status).toBe(204);
    expect(await lastOf(ana)).toEqual(last);
    expect(await trailOf(ana)).toEqual([last, middle, late]);
  });

  it('keeps one point for a moment: a repeat adds none, a correction takes its place, on the profile too', async () => {
    const ana = await app.signIn();
    const [earlier, later] = [ago(MINUTE), ago(0)];
    for (const point of [aPoint(1, earlier), aPoint(2, later), aPoint(2, later)]) await put(ana, point);
    expect(await trailOf(ana)).toEqual([aPoint(2, later), aPoint(1, earlier)]);
    const [corrected, late] = [{ ...aPoint(3, later), accuracy_m: 5 }, aPoint(4, earlier)];
    for (const point of [corrected, late]) await put(ana, point);
    expect(await trailOf(ana)).toEqual([corrected, late]);
    expect(await lastOf(ana)).toEqual(corrected);
  });

  it('ends at the newest point, whatever arrives at once on two replicas, and has them all in the trail', async () => {
    const other = await app.replica();
    for (let round = 0; round < 5; round += 1) {
      const ana = await app.signIn();
      const points = Array.from({ length: 40 }, (_, index) => aPoint(index, ago(index * MINUTE)));
      // Some of them twice.
      const sent = shuffled([...points, ...points.slice(0, 10)], round);
      const answers = await atOnce(sent.length, (index) => put(ana, sent[index]!, index % 2 ? app : other));
      expect(tally(answers)).toEqual({ 204: 50 });
      expect(await lastOf(ana)).toEqual(points[0]);
      expect(await trailOf(ana)).toEqual(points);
    }
  });

  it('refuses no If-Match because the phone has moved, and shows the move to who asks again', async () => {
    const ana = await aCompleteUser(app);
    const before = await profile(ana);
    const tag = before.headers.get('etag') ?? '';
    await put(ana, aPoint(1));
    const after = await app.get('/api/auth/profile', { ...ana.bearer, 'if-none-match': tag });
    expect([after.status, after.body]).toEqual([200, { ...before.body, coordinates: aPoint(1, anyTime()) }]);
    expect((await patch(app, ana, { bio: 'On the move.' }, { 'if-match': tag })).status).toBe(200);
    await clear(ana);
    const current = (await profile(ana)).headers.get('etag') ?? '';
    await put(ana, aPoint(2));
    expect((await patch(app, ana, { bio: 'Again.' }, { 'if-match': current })).status).toBe(200);
    expect((await patch(app, ana, { bio: 'Late.' }, { 'if-match': tag })).status).toBe(412);
  });

  it('takes clocks that are five minutes ahead, by the clock of the app', async () => {
    const ana = await app.signIn();
    const ahead = (seconds: number) => aPoint(1, ago(-seconds));
    expect((await put(ana, ahead(5 * MINUTE - SECOND))).status).toBe(204);
    const fault = { field: 'recorded_at', code: 'out_of_range', message: expect.any(String) };
    expectProblem(await put(ana, ahead(6 * MINUTE)), {
      status: 422,
      code: 'validation_failed',
      errors: [fault],
    });
    app.clock.advance(MINUTE);
    expect((await put(ana, ahead(5 * MINUTE - SECOND))).status).toBe(204);
  });

  it('tells what only the clock can find with all other faults', async () => {
    const ana = await app.signIn();
    const { body } = await put(ana, { latitude: '38', longitude: 181, recorded_at: ago(-HOUR) });
    const faults = body.errors.map(({ field, code }: { field: string; code: string }) => `${field} ${code}`);
    expect(faults.sort()).toEqual(['latitude type', 'longitude out_of_range', 'recorded_at out_of_range']);
  });

  it('refuses numbers that no double holds', async () => {
    const ana = await app.signIn();
    for (const raw of ['{"latitude":1e999,"longitude":0}', '{"latitude":NaN,"longitude":0}']) {
      const { status } = await app.request('PUT', PATH, { raw, headers: ana.bearer });
      expect([400, 422]).toContain(status);
    }
  });

  it('takes numbers that are all but 0, of which the database can make no product', async () => {
    const ana = await app.signIn();
    const odd = [0, 5e-324, -5e-324, 1e-310, 1e-160, 90];
    const pairs = odd.flatMap((latitude) => odd.map((longitude) => ({ latitude, longitude })));
    for (const pair of pairs)
      expect({ pair, status: (await put(ana, pair)).status }).toEqual({ pair, status: 204 });
    await put(ana, { latitude: 1e-160, longitude: -5e-324 });
    expect(await lastOf(ana)).toMatchObject({ latitude: 0, longitude: 0 });
  });

  it('answers 401 where the user is gone', async () => {
    const ana = await app.signIn();
    await app.sql('DELETE FROM user_profiles WHERE user_id = $1', [ana.id]);
    for (const answer of [await put(ana, aPoint(1)), await clear(ana)]) {
      expectProblem(answer, { status: 401, code: 'access_token_invalid' });
    }
    expect(await app.sql('SELECT 1 FROM location_points WHERE user_id = $1', [ana.id])).toEqual([]);
  });
});

describe('DELETE /api/auth/profile/coordinates', () => {
  it('clears the point and the trail, of the caller alone, and may be repeated', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const points = [aPoint(2), aPoint(1, ago(HOUR))];
    for (const user of [ana, ben]) for (const point of points) await put(user, point);
    for (const answer of [await clear(ana), await clear(ana)]) {
      expect([answer.status, answer.body]).toEqual([204, '']);
    }
    expect([await lastOf(ana), await trailOf(ana)]).toEqual([null, []]);
    expect([await lastOf(ben), await trailOf(ben)]).toEqual([points[0], points]);
    // An older point than the one that was cleared is the last now.
    await put(ana, points[1]!);
    expect(await lastOf(ana)).toEqual(points[1]);
  });

  it('leaves nothing half-done among points that arrive at once on two replicas', async () => {
    const other = await app.replica();
    for (let round = 0; round < 30; round += 1) {
      const ana = await app.signIn();
      const points = shuffled(
        Array.from({ length: 6 }, (_, index) => aPoint(index, ago(index * MINUTE))),
        round,
      );
      const requests = [
        ...points.map((point, index) => () => put(ana, point, index % 2 ? app : other)),
        () => clear(ana, other),
      ];
      // The newest is there already: most of the others come late.
      await put(ana, aPoint(0));
      const answers = await Promise.all(shuffled(requests, round + 1).map((request) => request()));
      expect(tally(answers)).toEqual({ 204: 7 });
      const trail = await trailOf(ana);
      expect({ round, last: await lastOf(ana) }).toEqual({ round, last: trail[0] ?? null });
    }
  });
});

describe('the deletion of an account', () => {
  it('leaves no trail where a version erases the user that knows of none', async () => {
    const ana = await app.signIn();
    await put(ana, aPoint(1));
    await app.sql('DELETE FROM user_profiles WHERE user_id = $1', [ana.id]);
    expect(await app.sql('SELECT FROM location_points WHERE user_id = $1', [ana.id])).toEqual([]);
  });

  it('leaves no point behind of those that arrive with it on two replicas', async () => {
    const other = await app.replica();
    for (let round = 0; round < 20; round += 1) {
      const ana = await app.signIn();
      await put(ana, aPoint(0));
      const late = Array.from(
        { length: 8 },
        (_, index) => () => put(ana, aPoint(1, ago(index * HOUR)), index % 2 ? app : other),
      );
      const deletion = () => app.request('DELETE', '/api/auth/account', { headers: ana.bearer });
      const answers = await Promise.all(shuffled([...late, deletion], round).map((request) => request()));
      expect(answers.filter(({ status }) => status !== 204 && status !== 401)).toEqual([]);
      expect(await app.sql('SELECT 1 FROM location_points WHERE user_id = $1', [ana.id])).toEqual([]);
    }
  });
});

describe('GET /api/auth/profile/coordinates/history', () => {
  it('pages from the newest to the oldest, each point once, whatever is added meanwhile', async () => {
    const ana = await app.signIn();
    const points = Array.from({ length: 23 }, (_, index) => aPoint(index, ago(index * MINUTE)));
    for (const point of shuffled(points, 1)) await put(ana, point);
    const seen: Point[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { status, body }: Answer = await history(ana, `?limit=5${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      seen.push(...(body.items as Point[]));
      cursor = body.next_cursor as string | null;
      await put(ana, aPoint(89, ago(0)));
      app.clock.advance(SECOND);
    }
    expect(seen).toEqual(points);
  });

  it('has 50 points on a page where no limit is given, and ends a full page without a cursor', async () => {
    const ana = await app.signIn();
    await app.sql(
      `INSERT INTO location_points (user_id, recorded_at, latitude, longitude)
       SELECT $1, $2::timestamptz - n * interval '1 minute', 0, 0 FROM generate_series(1, 50) AS n`,
      [ana.id, ago(0)],
    );
    const full = await history(ana);
    expect([full.body.items.length, full.body.next_cursor]).toEqual([50, null]);
    await put(ana, aPoint(1));
    const first = await history(ana);
    expect([first.body.items.length, typeof first.body.next_cursor]).toEqual([50, 'string']);
  });

  it("is the caller's own, and takes cursors of this list alone", async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    await put(ana, aPoint(1));
    expect((await history(ben)).body).toEqual({ items: [], next_cursor: null });
    const encoded = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');
    for (const cursor of [
      'x',
      '',
      'AZNbLnwffVKaPkyNL2saBw',
      encoded({ recorded_at: 'yesterday' }),
      encoded({ recorded_at: '2026-03-01T12:00:00.000Z', more: 1 }),
      encoded({ recorded_at: 5 }),
    ]) {
      const answer = await history(ana, `?cursor=${cursor}`);
      expect([cursor, answer.status, answer.body.errors?.[0].field]).toEqual([cursor, 422, 'cursor']);
    }
    for (const limit of ['0', '101', '1.5', 'many']) {
      expect((await history(ana, `?limit=${limit}`)).status).toBe(422);
    }
    expect((await app.get(`${PATH}/history`)).status).toBe(401);
  });
});

function anyTime(): string {
  return expect.any(String) as string;
}

/** In an order that is the same in each run. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed);
  return items
    .map((item) => ({ item, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
