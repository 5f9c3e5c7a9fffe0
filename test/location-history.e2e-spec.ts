import type { EntityManager } from 'typeorm';

import { harness, type SignedInUser, TestApp } from './helpers/app.js';

const [SECOND, MINUTE, HOUR, DAY] = [1, 60, 60 * 60, 24 * 60 * 60];
const PATH = '/api/auth/profile/coordinates';

interface Point {
  latitude: number;
  longitude: number;
  accuracy_m: number | null;
  recorded_at: string;
}

afterEach(() => harness.closeApps());

const put = ({ bearer }: SignedInUser, body: object, on: TestApp) =>
  on.request('PUT', PATH, { body, headers: bearer });
const history = ({ bearer }: SignedInUser, on: TestApp) => on.get(`${PATH}/history`, bearer);

/** The time of the app, so many seconds ago. */
const ago = (seconds: number, on: TestApp) =>
  new Date(on.clock.now().getTime() - seconds * 1000).toISOString();

/** A point that is told from others by its latitude. */
const aPoint = (latitude: number, recordedAt: string): Point => ({
  latitude,
  longitude: -9.1393,
  accuracy_m: null,
  recorded_at: recordedAt,
});

describe('the purge of trails', () => {
  it('finds what is old by its index, however much there is', async () => {
    const own = await TestApp.start({ database: await harness.database() });
    const ana = await own.signIn();
    await own.sql(
      `INSERT INTO location_points (user_id, recorded_at, latitude, longitude)
       SELECT $1, $2::timestamptz - n * interval '1 minute', 0, 0 FROM generate_series(1, 20000) AS n`,
      [ana.id, ago(0, own)],
    );
    await own.sql('ANALYZE location_points');
    const { purgeTrails } = await harness.load<{
      purgeTrails: (manager: EntityManager, keptSince: Date) => Promise<number>;
    }>('users/coordinates/coordinates-rows.js');
    const plan = await own.started.transaction(async (transaction) => {
      const since = new Date(ago(20_000 * MINUTE - SECOND, own));
      expect(await purgeTrails(transaction, since)).toBe(1);
      const rows: { 'QUERY PLAN': string }[] = await transaction.query(
        `EXPLAIN EXECUTE location_points_purge (1000, '${since.toISOString()}')`,
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).toContain('location_points_recorded_at_idx');
    expect(plan).not.toContain('Seq Scan');
  });
});

describe('LOCATION_HISTORY_DAYS', () => {
  const withDays = async (days: number) =>
    TestApp.start({ database: await harness.database(), env: { LOCATION_HISTORY_DAYS: String(days) } });
  const latitudesOf = async (user: SignedInUser, on: TestApp) =>
    (await history(user, on)).body.items.map(({ latitude }: Point) => latitude) as number[];

  it('keeps points for so long, and a job deletes them then', async () => {
    const own = await withDays(2);
    const ana = await own.signIn();
    await put(ana, aPoint(1, ago(2 * DAY - MINUTE, own)), own);
    await put(ana, aPoint(2, ago(HOUR, own)), own);
    await own.runJob('trail-purge');
    expect(await latitudesOf(ana, own)).toEqual([2, 1]);
    own.clock.advance(2 * MINUTE);
    await own.runJob('trail-purge');
    expect(await latitudesOf(ana, own)).toEqual([2]);
  });

  it('keeps a point that comes later than that out of the trail; the profile has it, if it knows no newer', async () => {
    const own = await withDays(2);
    const ana = await own.signIn();
    const old = aPoint(1, ago(2 * DAY + MINUTE, own));
    expect((await put(ana, old, own)).status).toBe(204);
    expect(await latitudesOf(ana, own)).toEqual([]);
    expect((await own.get('/api/auth/profile', ana.bearer)).body.coordinates).toEqual(old);
  });

  it('empties the trails of all, however long they are, where it is 0, and adds nothing to them', async () => {
    const own = await withDays(0);
    const ana = await own.signIn();
    await own.sql(
      `INSERT INTO location_points (user_id, recorded_at, latitude, longitude)
       SELECT $1, $2::timestamptz + n * interval '1 second', 0, 0 FROM generate_series(-2300, 200) AS n`,
      [ana.id, ago(0, own)],
    );
    for (const seconds of [HOUR, 0, -4 * MINUTE]) await put(ana, aPoint(1, ago(seconds, own)), own);
    expect(await own.sql('SELECT 1 FROM location_points WHERE latitude = 1')).toEqual([]);
    await own.runJob('trail-purge');
    expect(await latitudesOf(ana, own)).toEqual([]);
    expect((await own.get('/api/auth/profile', ana.bearer)).body.coordinates).toMatchObject({ latitude: 1 });
  });
});
