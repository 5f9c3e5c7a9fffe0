import type { MigrationStep } from './platform/database/migrate.js';
import { prepareNearbySearch } from './users/nearby/prepare-nearby-search.js';

/** What is done at the end of each `latchkey migrate`, beside the migrations. */
export const MIGRATION_STEPS: readonly MigrationStep[] = [prepareNearbySearch];
