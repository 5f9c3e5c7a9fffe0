import { harness, TestApp } from './helpers/app.js';
import { LISBON, refusalOf, settle, startAlone, type UsersInTests, usersOf } from './helpers/nearby.js';

afterEach(() => harness.closeApps());

describe('a question of UsersService.findNear that has faults', () => {
  const good = { ...LISBON, radius_m: 1000 };
  let users: UsersInTests;
  let app: TestApp;
  beforeEach(async () => {
    ({ app, users } = await startAlone());
  });

  const faultsOf = async (question: Record<string, unknown>) => {
    const { code, members } = await refusalOf(users.findNear(question));
    return [code, members.errors?.map((fault) => `${fault.field} ${fault.code}`)];
  };

  it('is refused with all of them, for the host to pass on', async () => {
    const table: [question: Record<string, unknown>, faults: string[]][] = [
      [{}, ['latitude required', 'longitude required', 'radius_m required']],
      [{ ...good, latitude: 90.1, longitude: -180.1 }, ['latitude out_of_range', 'longitude out_of_range']],
      [{ ...good, latitude: '38', longitude: null }, ['latitude type', 'longitude type']],
      [{ ...good, latitude: NaN, longitude: Infinity }, ['latitude type', 'longitude out_of_range']],
      [{ ...good, radius_m: 0 }, ['radius_m out_of_range']],
      [{ ...good, radius_m: -1 }, ['radius_m out_of_range']],
      [{ ...good, radius_m: 20_015_115 }, ['radius_m out_of_range']],
      [{ ...good, radius_m: '1000' }, ['radius_m type']],
      [{ ...good, limit: 0 }, ['limit out_of_range']],
      [{ ...good, limit: 101 }, ['limit out_of_range']],
      [{ ...good, limit: 1.5 }, ['limit type']],
      [{ ...good, limit: '10' }, ['limit type']],
      [{ ...good, limit: null }, ['limit type']],
      [{ ...good, exclude: 'x' }, ['exclude type']],
      [{ ...good, exclude: [crypto.randomUUID(), 'x'] }, ['exclude.1 format']],
      [{ ...good, exclude: Array(1001).fill(crypto.randomUUID()) }, ['exclude too_long']],
    ];
    for (const [question, faults] of table) {
      expect({ question, faults: await faultsOf(question) }).toEqual({
        question,
        faults: ['validation_failed', faults],
      });
    }
    await expect(
      users.findNear({ ...good, exclude: Array(1000).fill(crypto.randomUUID()) }),
    ).resolves.toEqual({
      items: [],
      next_cursor: null,
    });
  });

  it('may be of a place that is all but 0, and of a radius', async () => {
    for (const small of [5e-324, -5e-324, 1e-310, 1e-160]) {
      const question = { latitude: small, longitude: small, radius_m: Math.abs(small) };
      expect(await users.findNear(question)).toEqual({ items: [], next_cursor: null });
    }
  });

  it('may have a bad cursor', async () => {
    await settle(app.started.database, [LISBON, LISBON]);
    const { next_cursor: cursor } = await users.findNear({ ...good, limit: 1 });
    const bytes = Buffer.from(cursor ?? '', 'base64url');
    const changed = [0, 3, 4, 20, bytes.length - 1].map((at) => {
      const copy = Buffer.from(bytes);
      copy[at]! ^= 1;
      return copy.toString('base64url');
    });
    const cursors = ['', 'x', 5, {}, 'AZNbLnwffVKaPkyNL2saBw', cursor!.slice(0, -4), ...changed];
    for (const bad of cursors) {
      const faults = await faultsOf({ ...good, cursor: bad });
      expect({ bad, faults }).toEqual({ bad, faults: ['validation_failed', ['cursor format']] });
    }
    const other = await TestApp.start({
      database: app.started.database,
      env: { APP_SECRET: 'another-secret-for-tests-and-for-nothing-else' },
    });
    const refusal = await refusalOf((await usersOf(other)).findNear({ ...good, cursor }));
    expect(refusal.code).toBe('validation_failed');
  });
});
