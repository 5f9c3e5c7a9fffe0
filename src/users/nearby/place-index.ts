import type { EntityManager } from 'typeorm';

// What the search stands on: the extension `cube`, whose GiST index finds the nearest of points in space, and the index
// over the places of users on the unit sphere.

export const PLACE_INDEX = 'user_profiles_place_idx';

/** What there is of the extension and the index. */
interface PlaceIndexState {
  /** Of the extension, quoted for SQL. */
  schema: string;
  mayUse: boolean;
  index: 'valid' | 'invalid' | 'missing';
}

/** Nothing where the extension is missing. */
export async function placeIndexState(manager: EntityManager): Promise<PlaceIndexState | undefined> {
  const [row]: StateRow[] = await manager.query(STATE);
  return (
    row && {
      schema: row.schema,
      mayUse: row.may_use,
      index: row.is_valid === null ? 'missing' : row.is_valid ? 'valid' : 'invalid',
    }
  );
}

interface StateRow {
  schema: string;
  may_use: boolean;
  is_valid: boolean | null;
}

const STATE = `
  SELECT quote_ident(n.nspname) AS schema, has_schema_privilege(n.oid, 'USAGE') AS may_use,
         (SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
          WHERE i.indrelid = 'user_profiles'::regclass AND c.relname = '${PLACE_INDEX}') AS is_valid
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'cube'`;

/** What an operator is to do before users nearby can be searched; nothing where they can. */
export function placeIndexFault(state: PlaceIndexState | undefined): string | undefined {
  if (!state) {
    return (
      'the PostgreSQL extension cube is missing. Have the owner of the database run `CREATE EXTENSION cube`, ' +
      'then run `latchkey migrate`'
    );
  }
  if (!state.mayUse) {
    return `this role may not use the schema of the extension cube: GRANT USAGE ON SCHEMA ${state.schema} to it`;
  }
  if (state.index === 'missing') return `the index ${PLACE_INDEX} is missing: run \`latchkey migrate\``;
  if (state.index === 'invalid') {
    return `the index ${PLACE_INDEX} is not complete. If nobody is building it: drop it, and run \`latchkey migrate\``;
  }
  return undefined;
}

/**
 * SQL: the place of a latitude and a longitude on the unit sphere. Functions of the extension are named with its
 * schema, which need not be on the search path, and no function of our own hides in the index: a dump is restored
 * with an empty path.
 */
export function placeOf(schema: string, latitude: string, longitude: string): string {
  const [lat, lng] = [`radians(${latitude})`, `radians(${longitude})`];
  return `${schema}.cube(ARRAY[cos(${lat}) * cos(${lng}), cos(${lat}) * sin(${lng}), sin(${lat})])`;
}
