import { harness } from './helpers/app.js';
import { allPages, HALF_M, LISBON, manyPlaces, metresBetween, settle, startAlone } from './helpers/nearby.js';
import { seededRandom } from './helpers/seeded-random.js';

afterEach(() => harness.closeApps());

const random = seededRandom(11);
const MIDDLES: [latitude: number, longitude: number, radii: number[]][] = [
  [LISBON.latitude, LISBON.longitude, [1, 900, 20_000, HALF_M]],
  [10, 180, [1, 20_000, 1_500_000]],
  [10, -180, [1, 20_000]],
  [10.1, 179.9, [20_000, 10_500_000]],
  [90, 33, [1, 20_000, 1_500_000]],
  [-90, 0, [1, 20_000, 1_500_000]],
  [0, 0, [1_500_000, 10_500_000]],
  // The other end of the earth, as seen from Lisbon.
  [-38.7223, 170.8607, [1_500_000, 20_000_000, HALF_M]],
  ...Array.from({ length: 4 }, (): [number, number, number[]] => [
    random() * 180 - 90,
    random() * 360 - 180,
    [900_000, 3_000_000],
  ]),
];
// What floating point may be off by, at the worst place: the other end of the earth.
const NOISE_M = 1;

it('UsersService.findNear finds whom brute force finds, in the order of distance, all over the earth', async () => {
  const { users, database } = await startAlone();
  const places = await settle(database, manyPlaces(7));
  const byId = new Map(places.map((place) => [place.id, place]));
  for (const [latitude, longitude, radii] of MIDDLES) {
    for (const radius of radii) {
      const middle = { latitude, longitude };
      const items = await allPages(users, { ...middle, radius_m: radius, limit: 100 });
      const found = items.map(({ userId, distance_m: shown }) => {
        const place = byId.get(userId)!;
        return { place, shown, metres: metresBetween(middle, place) };
      });
      const ids = new Set(items.map(({ userId }) => userId));
      const pairs = found.slice(1).map((each, index) => [found[index]!, each] as const);
      expect({
        middle,
        radius,
        twice: items.length - ids.size,
        missing: places.filter(
          (place) => !ids.has(place.id) && metresBetween(middle, place) < radius - NOISE_M,
        ),
        tooFar: found.filter(({ metres }) => metres > radius + NOISE_M),
        badlyRounded: found.filter(
          ({ shown, metres }) =>
            shown % 100 !== 0 || shown < 100 || shown < metres - NOISE_M || shown >= metres + 100 + NOISE_M,
        ),
        outOfOrder: pairs.filter(([one, next]) => next.metres < one.metres - NOISE_M),
        tiesOutOfOrder: pairs.filter(([{ place: one }, { place: next }]) => {
          const isOnePlace = one.latitude === next.latitude && one.longitude === next.longitude;
          return isOnePlace && next.id < one.id;
        }),
      }).toEqual({
        middle,
        radius,
        twice: 0,
        missing: [],
        tooFar: [],
        badlyRounded: [],
        outOfOrder: [],
        tiesOutOfOrder: [],
      });
    }
  }
});
