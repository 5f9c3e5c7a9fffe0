// Searches for the nearest users among many, and prints what the database takes for it (EXPLAIN ANALYZE, warm) and what
// the whole call does. A fifth of the users live anywhere, the others in 60 towns; the first town has a tenth of them.
//
//   npm run build && node bench/nearby.mjs [users, default 1000000]
//
// DATABASE_URL uses an existing server (a database is made on it, and dropped); else the embedded one is started.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { DataSource } from 'typeorm';

import { createApp } from '../dist/create-app.js';
import { startEmbeddedPostgres } from '../dist/platform/database/embedded/embedded-postgres.js';
import { migrate } from '../dist/platform/database/migrate.js';
import { prepareNearbySearch } from '../dist/users/nearby/prepare-nearby-search.js';
import { UsersService } from '../dist/users/users.service.js';
import { createDatabase, dropDatabase } from '../test/helpers/databases.mjs';

const USERS = Number(process.argv[2] ?? 1_000_000);
const REPEATS = 500;
const PAGE = 50;
const TOWN = { latitude: 38.7223, longitude: -9.1393 };
const RADIUS_M = 6_371_008.8;

const directory = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
const embedded = process.env.DATABASE_URL
  ? undefined
  : await startEmbeddedPostgres({ directory, durable: false });
const server = process.env.DATABASE_URL ?? embedded.url;
const database = await createDatabase(server);
const app = await createApp({
  env: {
    NODE_ENV: 'test',
    APP_SECRET: 'a-secret-for-measuring-and-for-nothing-else',
    DATABASE_URL: database,
    STORAGE_DIR: join(directory, 'pictures'),
    LOG_LEVEL: 'warn',
  },
});
try {
  const db = app.nest.get(DataSource);
  const users = app.nest.get(UsersService);
  const seedMs = await milliseconds(() => seed(db));
  const indexMs = await milliseconds(() => migrate(database, console.log, [prepareNearbySearch]));
  await unlimited(db, 'VACUUM ANALYZE');
  console.log(
    `${USERS} users in ${Math.round(seedMs / 1000)} s, their index in ${Math.round(indexMs / 1000)} s`,
  );

  const rows = {};
  for (const metres of [500, 5_000, 50_000, 20_000_000]) {
    rows[`within ${metres} m`] = await measure(db, users, { radius_m: metres });
  }
  rows['within 5000 m, page 21'] = await measure(db, users, { radius_m: 5_000, pagesBefore: 20 });
  console.table(rows);
} finally {
  await app.close();
  await dropDatabase(server, database);
  await embedded?.stop();
  await rm(directory, { recursive: true, force: true });
}

async function seed(db) {
  await unlimited(db, 'DROP INDEX user_profiles_place_idx');
  await unlimited(
    db,
    `INSERT INTO users (id, phone_number, created_at)
     SELECT ('01935b2e-7c1f-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '+1' || n, now() FROM generate_series(1, ${USERS}) AS n`,
  );
  // Who lives in one town is spread over the table, as people sign up in any order.
  await unlimited(
    db,
    `WITH town AS (
       SELECT k, CASE k WHEN 1 THEN ${TOWN.latitude} ELSE 140 * random() - 70 END AS latitude,
              CASE k WHEN 1 THEN ${TOWN.longitude} ELSE 340 * random() - 170 END AS longitude,
              (${USERS / 10} / power(k, 0.85))::integer AS size
       FROM generate_series(1, 60) AS k
     ), ranges AS (
       SELECT *, sum(size) OVER (ORDER BY k) - size AS first, sum(size) OVER (ORDER BY k) AS last FROM town
     ), person AS (
       SELECT ('01935b2e-7c1f-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id, row_number() OVER (ORDER BY md5(n::text)) AS rank,
              0.045 * sqrt(-2 * ln(1 - random())) AS off, 2 * pi() * random() AS course, random() AS u, random() AS v
       FROM generate_series(1, ${USERS}) AS n
     )
     INSERT INTO user_profiles (user_id, name, bio, birth_date, gender, completed_at, is_verified, latitude, longitude,
                                located_at, updated_at)
     SELECT id, 'Ana', repeat('x', 200), '1996-02-29', 'female', now(), true,
            CASE WHEN k IS NULL THEN degrees(asin(2 * u - 1)) ELSE latitude + off * sin(course) END,
            CASE WHEN k IS NULL THEN 360 * v - 180
                 ELSE longitude + off * cos(course) / cos(radians(latitude)) END, now(), now()
     FROM person LEFT JOIN ranges ON rank <= ${0.8 * USERS} AND rank > first AND rank <= last
     ORDER BY id`,
  );
  await unlimited(
    db,
    `INSERT INTO profile_pictures (id, user_id, position, storage_key, width, height, thumbhash, created_at)
     SELECT gen_random_uuid(), user_id, 0, md5(user_id::text), 1200, 1600, 'YQ', now() FROM user_profiles`,
  );
  await unlimited(
    db,
    `INSERT INTO user_event_interests (user_id, event_interest_id)
     SELECT p.user_id, i.id FROM user_profiles p, (SELECT id FROM event_interests ORDER BY id LIMIT 1) AS i`,
  );
}

/** A statement that takes longer than one of the app may. */
async function unlimited(db, sql) {
  const runner = db.createQueryRunner();
  try {
    const client = await runner.connect();
    await client.query('SET statement_timeout = 0');
    await client.query({ text: sql, query_timeout: 3_600_000 });
    await client.query('RESET statement_timeout');
  } finally {
    await runner.release();
  }
}

async function measure(db, users, { radius_m, pagesBefore = 0 }) {
  const after = pagesBefore > 0 ? await lastOf(db, radius_m, pagesBefore * PAGE) : undefined;
  const database = await db.transaction(async (transaction) => {
    await users.findNear({ ...TOWN, radius_m }, transaction);
    const [{ name }] = await transaction.query(
      `SELECT name FROM pg_prepared_statements WHERE name LIKE 'users_near_%'`,
    );
    return sorted(REPEATS, async () => {
      const { latitude, longitude } = after ? TOWN : somewhereInTown();
      const chord = 2 * Math.sin(radius_m / RADIUS_M / 2);
      const key = after ? `${after.chord}, '${after.user_id}'` : 'NULL, NULL';
      const [{ 'QUERY PLAN': plan }] = await transaction.query(
        `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE ${name} (${latitude}, ${longitude}, ${chord}, '{}', ${key}, ${PAGE + 1})`,
      );
      return plan[0]['Execution Time'];
    });
  });
  const figures = { 'database, median ms': at(database, 0.5), 'database, p99 ms': at(database, 0.99) };
  if (after) return figures;
  const calls = await sorted(REPEATS, () =>
    milliseconds(() => users.findNear({ ...somewhereInTown(), radius_m, limit: PAGE })),
  );
  return { ...figures, 'call with profiles, median ms': at(calls, 0.5), 'call, p99 ms': at(calls, 0.99) };
}

/** Who stands so far down the list, for a cursor. */
async function lastOf(db, radius, rank) {
  const place = (latitude, longitude) =>
    `cube(ARRAY[cos(radians(${latitude})) * cos(radians(${longitude})), cos(radians(${latitude})) * sin(radians(${longitude})), sin(radians(${latitude}))])`;
  const chord = `${place('latitude', 'longitude')} <-> ${place(TOWN.latitude, TOWN.longitude)}`;
  const [row] = await db.query(
    `SELECT user_id, ${chord} AS chord FROM user_profiles WHERE latitude IS NOT NULL
     ORDER BY ${chord} LIMIT 1 OFFSET ${rank - 1}`,
  );
  return row;
}

function somewhereInTown() {
  const off = () => (Math.random() - 0.5) * 0.06;
  return { latitude: TOWN.latitude + off(), longitude: TOWN.longitude + off() };
}

async function milliseconds(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function sorted(count, work) {
  // The first ones fill caches.
  for (let each = 0; each < count; each += 1) await work();
  const figures = [];
  for (let each = 0; each < count; each += 1) figures.push(await work());
  return figures.sort((one, other) => one - other);
}

function at(figures, share) {
  return Number(figures[Math.floor(share * (figures.length - 1))].toFixed(2));
}
