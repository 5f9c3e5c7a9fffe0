import { anAdministrator } from './helpers/administrator.js';
import { aPhoneNumber, harness, type SignedInUser, TestApp } from './helpers/app.js';
import { slowPlans } from './helpers/query-plans.js';

const USERS = 100_000;
const PURGES = ['otp-purge', 'session-purge', 'location-purge'];

let app: TestApp;
let user: SignedInUser;
let admin: SignedInUser;
/** One of the many. */
let other: { id: string; phone_number: string; name: string };

beforeAll(async () => {
  app = await TestApp.start();
  await harness.populate(app.started.database, USERS, app.clock.now());
  [user, admin] = [await app.signIn(), await anAdministrator(app)];
  [other] = (await app.sql<typeof other>(
    `SELECT id, phone_number, name FROM users JOIN user_profiles ON user_id = id
     WHERE status = 'active' AND completed_at IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET 50000`,
  )) as [typeof other];
}, 300_000);

/** What is slow in the statements that are sent while `work` runs. */
async function slowIn(work: () => Promise<unknown>): Promise<string[]> {
  const queries = await harness.queries(work);
  expect(queries).not.toHaveLength(0);
  return slowPlans(app.started.database, queries);
}

const asUser = (method: string, path: string, body?: unknown) => () =>
  app.request(method, path, { body, headers: user.bearer });
const asAdmin = (path: () => string) => () => app.get(path(), admin.bearer);

describe(`among ${USERS} users, an index answers`, () => {
  it('each that is made up', async () => {
    const [{ count }] = (await app.sql<{ count: string }>('SELECT count(*) FROM users')) as [
      { count: string },
    ];
    expect(Number(count)).toBe(USERS + 2);
  });
});
