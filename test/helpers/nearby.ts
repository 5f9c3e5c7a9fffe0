import { harness, TestApp } from './app.js';
import { seededRandom } from './seeded-random.js';

const RADIUS_M = 6_371_008.8;
/** Half the circumference of the earth. */
export const HALF_M = Math.PI * RADIUS_M;
export const LISBON = { latitude: 38.7223, longitude: -9.1393 };

/** Metres as degrees of latitude. */
export const degreesOf = (metres: number) => metres / (HALF_M / 180);

/** UsersService, as a module of the host has it. */
export interface UsersInTests {
  findNear(question: Record<string, unknown>, transaction?: unknown): Promise<Nearby>;
}

export interface Nearby {
  items: NearbyItem[];
  next_cursor: string | null;
}

interface NearbyItem {
  userId: string;
  distance_m: number;
}

/** A refusal, which is of another realm. */
export interface Refusal {
  code: string;
  members: { errors?: { field: string; code: string }[] };
  cause?: Error;
}

export interface Place {
  id: string;
  latitude: number;
  longitude: number;
}

export function usersOf(app: TestApp): Promise<UsersInTests> {
  return app.started.provider<UsersInTests>('users/users.service.js', 'UsersService');
}

export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  return promise.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as Refusal,
  );
}

let count = 0;

/** Makes active users with a completed profile, past the app: a row each, and nothing else. */
export async function settle(database: string, places: readonly Omit<Place, 'id'>[]): Promise<Place[]> {
  const settled = places.map((place) => ({ ...place, id: crypto.randomUUID() }));
  const numbers = settled.map(() => `+1999${String((count += 1)).padStart(8, '0')}`);
  const ids = settled.map(({ id }) => id);
  await harness.sql(
    database,
    `INSERT INTO users (id, phone_number, created_at)
     SELECT * , now() FROM unnest($1::uuid[], $2::text[])`,
    [ids, numbers],
  );
  await harness.sql(
    database,
    `INSERT INTO user_profiles (user_id, name, birth_date, gender, completed_at, latitude, longitude, located_at, updated_at)
     SELECT id, 'Ana', '1996-02-29', 'female', now(), latitude, longitude, now(), now()
     FROM unnest($1::uuid[], $2::float8[], $3::float8[]) AS place (id, latitude, longitude)`,
    [ids, settled.map(({ latitude }) => latitude), settled.map(({ longitude }) => longitude)],
  );
  return settled;
}

/** The law of haversines. */
export function metresBetween(one: Omit<Place, 'id'>, other: Omit<Place, 'id'>): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const half = (degrees: number) => Math.sin(radians(degrees) / 2) ** 2;
  const along = Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude));
  const h = half(other.latitude - one.latitude) + along * half(other.longitude - one.longitude);
  return 2 * RADIUS_M * Math.asin(Math.sqrt(Math.min(1, h)));
}

/** Everywhere, in a town, around a pole and the antimeridian, and many at one place; the same in each run. */
export function manyPlaces(seed: number): Omit<Place, 'id'>[] {
  const random = seededRandom(seed);
  const around = ({ latitude, longitude }: Omit<Place, 'id'>, degrees: number) => ({
    latitude: Math.max(-90, Math.min(90, latitude + (random() - 0.5) * degrees)),
    longitude: ((longitude + (random() - 0.5) * degrees + 540) % 360) - 180,
  });
  const many = (length: number, make: () => Omit<Place, 'id'>) => Array.from({ length }, make);
  return [
    ...many(1000, () => ({
      latitude: (Math.asin(2 * random() - 1) * 180) / Math.PI,
      longitude: random() * 360 - 180,
    })),
    ...many(800, () => around(LISBON, 0.2)),
    ...many(200, () => around({ latitude: 10, longitude: 180 }, 0.5)),
    ...many(100, () => around({ latitude: 90, longitude: 0 }, 0.5)),
    ...many(100, () => ({ latitude: -90 + random() / 2, longitude: random() * 360 - 180 })),
    ...many(50, () => LISBON),
    ...many(10, () => ({ latitude: 10, longitude: 180 })),
    ...many(10, () => ({ latitude: 10, longitude: -180 })),
  ];
}

/** On an empty database of its own, with the service that hosts inject. */
export async function startAlone(): Promise<{ app: TestApp; users: UsersInTests; database: string }> {
  const database = await harness.database();
  const app = await TestApp.start({ database });
  return { app, users: await usersOf(app), database };
}

/** Everybody who is near, page after page. */
export async function allPages(
  users: UsersInTests,
  question: Record<string, unknown>,
  betweenPages: () => Promise<unknown> = () => Promise.resolve(),
): Promise<NearbyItem[]> {
  const items: NearbyItem[] = [];
  let cursor: string | null = null;
  do {
    const page: Nearby = await users.findNear({ ...question, cursor });
    items.push(...page.items);
    cursor = page.next_cursor;
    await betweenPages();
  } while (cursor !== null);
  return items;
}
