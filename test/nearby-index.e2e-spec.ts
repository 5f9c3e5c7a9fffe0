import type { EntityManager } from 'typeorm';

import { harness } from './helpers/app.js';
import { LISBON, settle, startAlone } from './helpers/nearby.js';
import { seededRandom } from './helpers/seeded-random.js';

afterEach(() => harness.closeApps());

describe('the plan of UsersService.findNear', () => {
  interface Plan {
    'Node Type': string;
    'Index Name'?: string;
    'Order By'?: string;
    Plans?: Plan[];
  }
  const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

  it('walks the index from the nearest outwards, prepared or not', async () => {
    const { app, users, database } = await startAlone();
    const random = seededRandom(5);
    // All in one town, which is where the planner would think of reading them all.
    for (let batch = 0; batch < 3; batch += 1) {
      const town = () => ({ latitude: 38.5 + random() / 2, longitude: -9.5 + random() / 2 });
      await settle(database, Array.from({ length: 10_000 }, town));
    }
    await app.sql('ANALYZE users, user_profiles');
    await app.started.transaction(async (transaction: EntityManager) => {
      await users.findNear({ ...LISBON, radius_m: 5000 }, transaction);
      const [prepared]: { name: string }[] = await transaction.query(
        `SELECT name FROM pg_prepared_statements WHERE name LIKE 'users_near_%'`,
      );
      for (const mode of ['force_custom_plan', 'force_generic_plan']) {
        await transaction.query(`SET LOCAL plan_cache_mode = ${mode}`);
        const [row]: { 'QUERY PLAN': [{ Plan: Plan }] }[] = await transaction.query(
          `EXPLAIN (FORMAT JSON) EXECUTE ${prepared!.name} (38.7, -9.1, 0.0008, '{}', NULL, NULL, 51)`,
        );
        const nodes = nodesOf(row!['QUERY PLAN'][0].Plan);
        const scan = nodes.find(({ 'Index Name': index }) => index === 'user_profiles_place_idx');
        expect([mode, scan?.['Node Type'], typeof scan?.['Order By']]).toEqual([
          mode,
          'Index Scan',
          'string',
        ]);
        expect(nodes.filter(({ 'Node Type': type }) => type === 'Seq Scan')).toEqual([]);
      }
    });
  });
});
