import pg from 'pg';

import { nameKeyOf } from '../../dist/users/name-key.js';
import { BIOS, CITIES, COUNTRIES, NAMES } from './world.mjs';

const CHUNK = 20_000;
const CONNECTIONS = 2;

/**
 * Fills a migrated database with people: the `users` of number `first` on, with all that they have. The same numbers
 * make the same people, whoever asks, at the same `now`. A chunk of them is there whole or not at all.
 *
 * Pictures have rows and no files; numbers, names and places are made up.
 */
export async function populate(url, { first = 0, users, now, onProgress = () => undefined }) {
  const chunks = [];
  for (let from = first; from < first + users; from += CHUNK) {
    chunks.push([from, Math.min(from + CHUNK, first + users)]);
  }
  let done = 0;
  const work = async () => {
    const client = new pg.Client({ connectionString: url, application_name: 'latchkey seed' });
    await client.connect();
    try {
      await prepare(client, now);
      for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
        await insertChunk(client, chunk);
        done += chunk[1] - chunk[0];
        onProgress(done);
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  await analyze(url);
}

// What a plan is chosen by; autovacuum would do it in its own time.
async function analyze(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`VACUUM (ANALYZE) ${TABLES.join(', ')}`);
  } finally {
    await client.end();
  }
}

async function prepare(client, now) {
  await client.query('SET jit = off');
  await client.query('SET synchronous_commit = off');
  // What is inserted refers to what was inserted before it: where the role may, nothing checks that row by row.
  await client.query('SET session_replication_role = replica').catch(() => undefined);
  await client.query(FUNCTIONS);
  await client.query(
    `CREATE TEMP TABLE world AS
     SELECT slot, country->'prefixes' AS prefixes, (country->>'lowest')::bigint AS lowest,
            (country->>'span')::bigint AS span, pg_temp.texts(country->'first') AS first,
            pg_temp.texts(country->'last') AS last,
            pg_temp.texts(country->'firstKeys') AS first_keys, pg_temp.texts(country->'lastKeys') AS last_keys, country->'cities' AS cities
     FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given (country, slot)`,
    [JSON.stringify(COUNTRIES.map(described))],
  );
  await client.query(
    'CREATE TEMP TABLE settings AS SELECT $1::timestamptz AS now, $2::int[] AS country_of, $3::text[] AS bios',
    [now, COUNTRIES.flatMap(({ share }, index) => Array(share).fill(index + 1)), BIOS],
  );
  await client.query(
    `CREATE TEMP TABLE interests AS
     SELECT id, row_number() OVER (ORDER BY id) - 1 AS rank, count(*) OVER () AS total
     FROM event_interests WHERE is_active`,
  );
}

function described({ code, ...country }) {
  const { first, last } = NAMES[code];
  const [firsts, lasts] = [first.split(' '), last.split(' ')];
  const keys = { firstKeys: firsts.map(nameKeyOf), lastKeys: lasts.map(nameKeyOf) };
  return { ...country, first: firsts, last: lasts, ...keys, cities: CITIES[code] };
}

async function insertChunk(client, [from, to]) {
  await client.query('BEGIN');
  try {
    await client.query({ text: PEOPLE, values: [from, to] });
    await client.query('ANALYZE people');
    for (const text of INSERTS) await client.query(text);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

const FUNCTIONS = `
  -- Evenly in [0, 1), and the same for the same person and purpose.
  CREATE FUNCTION pg_temp.dice(n bigint, purpose int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    $$ SELECT (hashint8extended(n, purpose) & 1099511627775)::float8 / 1099511627776 $$;
  CREATE FUNCTION pg_temp.bell(n bigint, purpose int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    $$ SELECT sqrt(-2 * ln(1 - pg_temp.dice(n, purpose))) * cos(2 * pi() * pg_temp.dice(n, purpose + 1)) $$;
  -- UUIDv7 (RFC 9562, section 5.7).
  CREATE FUNCTION pg_temp.id_at(at timestamptz, n bigint, purpose int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' ||
               overlay(left(md5(n || ':' || purpose), 19) PLACING '8' FROM 4 FOR 1))::uuid $$;
  CREATE FUNCTION pg_temp.texts(list jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS
    $$ SELECT array_agg(item ORDER BY place)
       FROM jsonb_array_elements_text(list) WITH ORDINALITY AS items (item, place) $$`;

// One row a person, with the choices that several tables need.
const PEOPLE = `
  CREATE TEMP TABLE people ON COMMIT DROP AS
  SELECT n, pg_temp.id_at(created_at, n, 0) AS id, date_trunc('milliseconds', created_at) AS created_at, phone_number,
         CASE WHEN fate < 0.985 THEN 'active' WHEN fate < 0.99 THEN 'suspended' ELSE 'deleted' END AS status,
         date_trunc('milliseconds', last_seen) AS last_seen, first_name || ' ' || last_name AS name, first_key || ' ' || last_key AS name_key, city->>0 AS city,
         fate < 0.99 AND pg_temp.dice(n, 20) < 0.88 AS is_complete,
         -- Half of them share where they are: around the centre of a city, a few anywhere on land or sea.
         CASE WHEN place < 0.55 THEN
           CASE WHEN place < 0.01 THEN degrees(asin(2 * pg_temp.dice(n, 21) - 1))
                ELSE (city->>1)::float8 + 0.06 * pg_temp.bell(n, 22) END END AS latitude,
         CASE WHEN place < 0.55 THEN
           CASE WHEN place < 0.01 THEN 360 * pg_temp.dice(n, 24) - 180
                ELSE (city->>2)::float8 + 0.07 * pg_temp.bell(n, 25) END END AS longitude
  FROM (
    SELECT n, s.now, created_at, fate, place,
           created_at + (s.now - created_at) * (1 - pg_temp.dice(n, 1) ^ 3) AS last_seen,
           (w.prefixes->>floor(jsonb_array_length(w.prefixes) * pg_temp.dice(n, 2))::int)
             || (w.lowest + n * 48271 % w.span) AS phone_number,
           w.first[first_rank] AS first_name, w.first_keys[first_rank] AS first_key,
           w.last[last_rank] AS last_name, w.last_keys[last_rank] AS last_key,
           w.cities->floor(jsonb_array_length(w.cities) * pg_temp.dice(n, 5) ^ 2.5)::int AS city
    FROM (
      SELECT n, settings.*,
             -- Two years of growth: the newest weeks are the fullest.
             settings.now - interval '730 days' * (1 - sqrt(pg_temp.dice(n, 6))) AS created_at,
             pg_temp.dice(n, 7) AS fate, pg_temp.dice(n, 8) AS place,
             country_of[1 + floor(1000 * pg_temp.dice(n, 9))::int] AS slot
      FROM settings, generate_series($1::bigint, $2::bigint - 1) AS n
    ) AS s JOIN world w USING (slot), LATERAL (
      SELECT 1 + floor(cardinality(w.first) * pg_temp.dice(n, 3) ^ 1.7)::int AS first_rank,
             1 + floor(cardinality(w.last) * pg_temp.dice(n, 4) ^ 1.7)::int AS last_rank
    ) AS ranks
  ) AS drawn`;

const TABLES = [
  'users',
  'user_profiles',
  'user_event_interests',
  'profile_pictures',
  'location_points',
  'sessions',
  'audit_log',
];

const INSERTS = [
  `INSERT INTO users (id, phone_number, status, created_at, last_sign_in_at, suspended_at, suspension_reason)
   SELECT id, CASE WHEN status <> 'deleted' THEN phone_number END, status, created_at,
          CASE WHEN status <> 'deleted' THEN last_seen END,
          CASE WHEN status = 'suspended' THEN last_seen END,
          CASE WHEN status = 'suspended' THEN 'Sends advertisements to strangers.' END
   FROM people`,

  `INSERT INTO user_profiles (user_id, name, name_key, bio, location, birth_date, gender, completed_at, is_verified,
                              latitude, longitude, accuracy_m, located_at, version, updated_at)
   SELECT id, name, name_key,
          CASE WHEN is_complete AND pg_temp.dice(n, 40) < 0.6
               THEN bios[1 + floor(cardinality(bios) * pg_temp.dice(n, 41))::int] END,
          CASE WHEN is_complete AND pg_temp.dice(n, 42) < 0.7 THEN city END,
          -- 17 to 90, most of them in their twenties and thirties.
          CASE WHEN is_complete THEN (now - interval '1 day' * (6400 + 26000 * pg_temp.dice(n, 43) ^ 2.5))::date END,
          CASE WHEN is_complete
               THEN (ARRAY['female', 'male', 'female', 'male', 'female', 'male', 'female', 'male', 'other',
                           'prefer_not_to_say'])[1 + floor(10 * pg_temp.dice(n, 44))::int] END,
          CASE WHEN is_complete THEN created_at + interval '4 minutes' END, true,
          latitude, longitude, CASE WHEN latitude IS NOT NULL THEN round(5 + 60 * pg_temp.dice(n, 45) ^ 3) END,
          CASE WHEN latitude IS NOT NULL THEN last_seen END, 2 + floor(6 * pg_temp.dice(n, 46))::int, last_seen
   FROM people, settings WHERE status <> 'deleted'`,

  // Of twelve, the first is chosen most.
  `INSERT INTO user_event_interests (user_id, event_interest_id)
   SELECT DISTINCT p.id, i.id
   FROM people p, generate_series(0, floor(5 * pg_temp.dice(p.n, 50))::int) AS choice, interests i
   WHERE p.is_complete AND i.rank = floor(i.total * pg_temp.dice(p.n, 51 + choice) ^ 1.6)::int`,

  `INSERT INTO profile_pictures (id, user_id, position, storage_key, width, height, thumbhash, created_at)
   SELECT pg_temp.id_at(p.created_at, p.n, 60 + position), p.id, position, md5(p.n || ':picture:' || position),
          1200, 1600, '1QcSHQRnh493V4dIh4eXh1h4kJUI', p.created_at
   FROM people p, generate_series(0, floor(6 * pg_temp.dice(p.n, 59) ^ 2)::int) AS position
   WHERE p.is_complete`,

  `INSERT INTO location_points (user_id, latitude, longitude, accuracy_m, recorded_at)
   SELECT p.id, p.latitude + 0.01 * step * pg_temp.bell(p.n, 70 + step) / 10,
          p.longitude + 0.01 * step * pg_temp.bell(p.n, 120 + step) / 10, 20,
          -- The app's own times have milliseconds.
          date_trunc('milliseconds', p.last_seen - interval '53 minutes' * step)
   FROM people p, settings, generate_series(0, floor(24 * pg_temp.dice(p.n, 69) ^ 3)::int) AS step
   WHERE p.status <> 'deleted' AND abs(p.latitude) < 80 AND abs(p.longitude) < 179
     AND p.last_seen > now - interval '30 days'`,

  // A phone each, for some an earlier one that they signed out of; who stayed away for a month is signed out.
  `INSERT INTO sessions (id, user_id, salt, counter, code_length, device_name, ip, user_agent, authenticated_at,
                         created_at, last_used_at, expires_at, revoked_at, revoked_reason)
   SELECT pg_temp.id_at(opened_at, n, 170 + device), id, decode(md5(n || ':salt:' || device), 'hex'),
          floor(40 * pg_temp.dice(n, 171 + device))::int, 4, 'Phone ' || device,
          host('10.0.0.0'::inet + (pg_temp.dice(n, 174) * 16000000)::bigint), 'ExampleApp/4.2 (Android 16)', opened_at,
          opened_at, last_seen, last_seen + interval '30 days',
          CASE WHEN device > 0 OR status = 'deleted' THEN last_seen END,
          CASE WHEN status = 'deleted' THEN 'account_deleted' WHEN device > 0 THEN 'logout' END
   FROM (
     SELECT p.*, device, created_at + (last_seen - created_at) * device / 3 AS opened_at
     FROM people p, settings, generate_series(0, floor(3 * pg_temp.dice(p.n, 169) ^ 4)::int) AS device
     WHERE p.last_seen > now - interval '60 days'
       AND (device = 0 AND p.status <> 'deleted' OR p.last_seen > now - interval '30 days')
   ) AS opened`,

  `INSERT INTO audit_log (id, at, actor_id, action, object_type, object_id, ip, user_agent, request_id, payload)
   SELECT pg_temp.id_at(p.created_at, p.n, 180), p.created_at, p.id, 'signed_in', 'session',
          pg_temp.id_at(p.created_at, p.n, 170),
          CASE WHEN p.status <> 'deleted' THEN host('10.0.0.0'::inet + (pg_temp.dice(p.n, 174) * 16000000)::bigint) END,
          CASE WHEN p.status <> 'deleted' THEN 'ExampleApp/4.2 (Android 16)' END, md5(p.n || ':request'), jsonb '{}'
   FROM people p
   UNION ALL
   SELECT pg_temp.id_at(p.last_seen, p.n, 181), p.last_seen, NULL,
          CASE p.status WHEN 'deleted' THEN 'account_deleted' ELSE 'user_suspended' END, 'user', p.id, NULL, NULL, NULL,
          jsonb '{}'
   FROM people p WHERE p.status <> 'active'`,
];
