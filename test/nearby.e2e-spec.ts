import { harness } from './helpers/app.js';
import {
  allPages,
  degreesOf,
  HALF_M,
  LISBON,
  manyPlaces,
  type Nearby,
  settle,
  startAlone,
  usersOf,
} from './helpers/nearby.js';
import { aCompleteUser } from './helpers/profile.js';

afterEach(() => harness.closeApps());

describe('UsersService.findNear', () => {
  it('rounds distances up to a full hundred metres: who is at the very place is 100 m away', async () => {
    const { users, database } = await startAlone();
    const metres = [0, 1, 99, 101, 199, 250, 5001];
    const places = await settle(
      database,
      metres.map((each) => ({ ...LISBON, latitude: LISBON.latitude + degreesOf(each) })),
    );
    const { items } = await users.findNear({ ...LISBON, radius_m: 10_000 });
    expect(items.map(({ userId, distance_m: shown }) => [userId, shown])).toEqual(
      [100, 100, 100, 200, 200, 300, 5100].map((shown, index) => [places[index]!.id, shown]),
    );
  });

  it('answers what others may see of a user, and never a place, in its cursor neither', async () => {
    const { app, users } = await startAlone();
    const ana = await aCompleteUser(app, { bio: 'A bio.', location: 'Lisbon' });
    const ben = await aCompleteUser(app);
    for (const [user, metres] of [
      [ana, 1234],
      [ben, 2345],
    ] as const) {
      const body = { latitude: LISBON.latitude + degreesOf(metres), longitude: LISBON.longitude };
      await app.request('PUT', '/api/auth/profile/coordinates', { body, headers: user.bearer });
    }
    const { items, next_cursor: cursor } = await users.findNear({ ...LISBON, radius_m: 5000, limit: 1 });
    expect(items).toEqual([
      {
        userId: ana.id,
        name: 'Ana Pérez',
        age: expect.any(Number),
        bio: 'A bio.',
        location: 'Lisbon',
        pictures: [expect.objectContaining({ position: 0 })],
        interests: [expect.anything(), expect.anything()],
        distance_m: 1300,
      },
    ]);
    // Neither the id nor the distance can be read out of it, and the same place is never written twice the same.
    const bytes = Buffer.from(cursor ?? '', 'base64url');
    const chord = Buffer.alloc(8);
    chord.writeDoubleBE(2 * Math.sin((Math.PI * 1234) / HALF_M / 2));
    expect(bytes.includes(Buffer.from(ana.id.replaceAll('-', ''), 'hex'))).toBe(false);
    expect(bytes.includes(chord.subarray(0, 4))).toBe(false);
    const again = await users.findNear({ ...LISBON, radius_m: 5000, limit: 1 });
    expect(again.next_cursor).not.toBe(cursor);
    expect((await users.findNear({ ...LISBON, radius_m: 5000, limit: 1, cursor })).items).toEqual([
      expect.objectContaining({ userId: ben.id }),
    ]);
  });

  it('leaves out who is suspended, deleted, incomplete, without a place, or excluded', async () => {
    const { app, users, database } = await startAlone();
    const [shown, suspended, deleted, incomplete, placeless, excluded] = await settle(
      database,
      Array.from({ length: 6 }, () => LISBON),
    );
    const idsOf = (page: Nearby) => page.items.map(({ userId }) => userId).sort();
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [suspended!.id]);
    await app.sql(`UPDATE users SET status = 'deleted', phone_number = NULL WHERE id = $1`, [deleted!.id]);
    await app.sql('UPDATE user_profiles SET completed_at = NULL WHERE user_id = $1', [incomplete!.id]);
    await app.sql(
      'UPDATE user_profiles SET latitude = NULL, longitude = NULL, located_at = NULL WHERE user_id = $1',
      [placeless!.id],
    );
    const question = { ...LISBON, radius_m: 100 };
    expect(idsOf(await users.findNear(question))).toEqual([shown!.id, excluded!.id].sort());
    const exclude = [excluded!.id.toUpperCase(), crypto.randomUUID()];
    expect(idsOf(await users.findNear({ ...question, exclude }))).toEqual([shown!.id]);
  });

  it('follows who moves, and loses who clears their place or deletes the account', async () => {
    const { app, users } = await startAlone();
    const [ana, ben] = [await aCompleteUser(app), await aCompleteUser(app)];
    const moveTo = ({ bearer }: typeof ana, body: object) =>
      app.request('PUT', '/api/auth/profile/coordinates', { body, headers: bearer });
    const near = async (place: object) =>
      (await users.findNear({ ...place, radius_m: 1000 })).items.map(({ userId }) => userId);
    const porto = { latitude: 41.1579, longitude: -8.6291 };
    for (const user of [ana, ben]) await moveTo(user, LISBON);
    expect((await near(LISBON)).sort()).toEqual([ana.id, ben.id].sort());
    app.clock.advance(1);
    await moveTo(ana, porto);
    expect([await near(LISBON), await near(porto)]).toEqual([[ben.id], [ana.id]]);
    await app.request('DELETE', '/api/auth/profile/coordinates', { headers: ana.bearer });
    await app.request('DELETE', '/api/auth/account', { headers: ben.bearer });
    expect([await near(LISBON), await near(porto)]).toEqual([[], []]);
  });

  it('pages through everybody once, while others come', async () => {
    const { users, database } = await startAlone();
    const places = await settle(database, manyPlaces(3).slice(900, 1300));
    const others = () => settle(database, [LISBON, { latitude: -38, longitude: 171 }]);
    const items = await allPages(users, { ...LISBON, radius_m: HALF_M, limit: 37 }, others);
    const seen = items.map(({ userId }) => userId);
    expect(new Set(seen).size).toBe(seen.length);
    expect(places.filter(({ id }) => !seen.includes(id))).toEqual([]);
  });

  it('pages through many at one place, by id', async () => {
    const { users, database } = await startAlone();
    const before = await settle(database, [{ ...LISBON, latitude: LISBON.latitude + degreesOf(50) }]);
    const crowd = await settle(
      database,
      Array.from({ length: 95 }, () => ({ ...LISBON, latitude: LISBON.latitude + degreesOf(90) })),
    );
    const items = await allPages(users, { ...LISBON, radius_m: 100, limit: 10 });
    expect(items.map(({ userId }) => userId)).toEqual([before[0]!.id, ...crowd.map(({ id }) => id).sort()]);
  });

  it('ends a full page without a cursor, and has 50 where no limit is given', async () => {
    const { users, database } = await startAlone();
    await settle(
      database,
      Array.from({ length: 50 }, () => LISBON),
    );
    const full = await users.findNear({ ...LISBON, radius_m: 100, cursor: null });
    expect([full.items.length, full.next_cursor]).toEqual([50, null]);
    await settle(database, [LISBON]);
    const first = await users.findNear({ ...LISBON, radius_m: 100 });
    expect([first.items.length, typeof first.next_cursor]).toEqual([50, 'string']);
    expect((await users.findNear({ latitude: 0, longitude: 0, radius_m: 1 })).items).toEqual([]);
  });

  it('reads in the transaction that it is given', async () => {
    const { app, users, database } = await startAlone();
    const [ana] = await settle(database, [LISBON]);
    await app.started.transaction(async (transaction) => {
      await transaction.query('UPDATE user_profiles SET latitude = 0, longitude = 0 WHERE user_id = $1', [
        ana!.id,
      ]);
      const question = { latitude: 0, longitude: 0, radius_m: 10 };
      expect((await users.findNear(question, transaction)).items).toHaveLength(1);
      expect((await users.findNear(question)).items).toHaveLength(0);
    });
  });

  it('takes the cursor of another replica', async () => {
    const { app, users, database } = await startAlone();
    await settle(database, [LISBON, LISBON]);
    const other = await usersOf(await app.replica());
    const { items, next_cursor: cursor } = await users.findNear({ ...LISBON, radius_m: 10, limit: 1 });
    const rest = await other.findNear({ ...LISBON, radius_m: 10, limit: 1, cursor });
    expect(rest.items).toHaveLength(1);
    expect(rest.items[0]!.userId > items[0]!.userId).toBe(true);
  });
});
