import type { EntityManager } from 'typeorm';

import { databaseErrorCode, isDatabaseUnavailable } from '../../platform/database/database-errors.js';
import { PLACE_INDEX, placeIndexFault, placeIndexState, placeOf } from './place-index.js';

/**
 * Makes the extension and the index that users nearby are searched by, as far as they are missing and this role may.
 * The rest of the app does without: a refusal is told, and no error.
 *
 * @returns what it made.
 */
export async function prepareNearbySearch(
  manager: EntityManager,
  log: (message: string) => void,
): Promise<string[]> {
  const made: string[] = [];
  const make = async (name: string, sql: string) => {
    try {
      await manager.query(sql);
      made.push(name);
    } catch (error) {
      if (databaseErrorCode(error) === undefined || isDatabaseUnavailable(error)) throw error;
      log(`${name} could not be made: ${(error as Error).message}`);
    }
  };
  let state = await placeIndexState(manager);
  if (!state) {
    await make('extension cube', 'CREATE EXTENSION cube');
    state = await placeIndexState(manager);
  }
  if (state?.mayUse && state.index === 'missing') {
    const place = placeOf(state.schema, 'latitude', 'longitude');
    await make(
      PLACE_INDEX,
      `CREATE INDEX ${PLACE_INDEX} ON user_profiles USING gist ((${place})) WHERE latitude IS NOT NULL`,
    );
    state = await placeIndexState(manager);
  }
  const fault = placeIndexFault(state);
  if (fault) log(`Users nearby cannot be searched: ${fault}.`);
  return made;
}
