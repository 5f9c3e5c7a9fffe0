import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';

import { type Statement, statement } from '../../platform/database/statement.js';
import { placeOf } from './place-index.js';

// The search over `user_profiles` for who is near.

/** A user, and how far through the unit sphere they are. */
export interface Found {
  userId: string;
  chord: number;
}

interface Circle {
  latitude: number;
  longitude: number;
  /** Through the unit sphere. */
  chord: number;
}

interface FoundRow {
  user_id: string;
  chord: number;
}

// The index walks from the nearest outwards; the cube around the circle tells it where to end, and the chord leaves out
// the corners. Who is as far as the last of them comes along (WITH TIES), so that the order by id holds in every page:
// PostgreSQL 15 and 16 would not walk the index for an order by two keys. How many are wanted is hidden from the
// planner, in a SELECT: it takes a thousandth of all users for those within the cube, wherever that is, and where a few
// ten thousand live in one town it would read and sort them all rather than walk to so many.
function textOf(schema: string): string {
  const place = placeOf(schema, 'p.latitude', 'p.longitude');
  const middle = placeOf(schema, '$1::double precision', '$2::double precision');
  const chord = `${place} OPERATOR(${schema}.<->) ${middle}`;
  return `
    SELECT user_id, chord FROM (
      SELECT p.user_id, ${chord} AS chord
      FROM user_profiles p JOIN users u ON u.id = p.user_id
      WHERE p.latitude IS NOT NULL AND p.completed_at IS NOT NULL AND u.status = 'active'
        AND ${place} OPERATOR(${schema}.<@) ${schema}.cube_enlarge(${middle}, $3, 3)
        AND ${chord} <= $3
        AND p.user_id <> ALL ($4::uuid[])
        AND ($5::double precision IS NULL OR (${chord}, p.user_id) > ($5, $6::uuid))
      ORDER BY ${chord}
      FETCH FIRST (SELECT $7::bigint) ROWS WITH TIES
    ) AS nearest
    ORDER BY chord, user_id
    LIMIT $7`;
}

const statements = new Map<string, Statement<FoundRow>>();

/** The statement for an extension in that schema; its name is of that schema, too, as one connection may see two. */
function statementFor(schema: string): Statement<FoundRow> {
  const known = statements.get(schema);
  if (known) return known;
  const hash = createHash('sha256').update(schema).digest('hex').slice(0, 16);
  const made = statement<FoundRow>(`users_near_${hash}`, textOf(schema));
  statements.set(schema, made);
  return made;
}

export interface FindOptions {
  circle: Circle;
  /** Ids of users to leave out. */
  exclude: readonly string[];
  /** The last one of the page before. */
  after: Found | undefined;
  limit: number;
}

/**
 * Users within a circle who may be seen, the nearest first, those of one place by id.
 *
 * @param schema of the extension, quoted.
 */
export async function findWithin(
  manager: EntityManager,
  schema: string,
  { circle, exclude, after, limit }: FindOptions,
): Promise<Found[]> {
  const { latitude, longitude, chord } = circle;
  const values = [latitude, longitude, chord, exclude, after?.chord, after?.userId, limit];
  return (await statementFor(schema)(manager, values)).map((row) => ({
    userId: row.user_id,
    chord: row.chord,
  }));
}
