import type { DatabaseConfig } from './database.config.js';

/** Where the database is, for as long as it is held open. */
export interface OpenDatabase {
  url: string;
  migrationUrl: string;
  /** Stops the embedded PostgreSQL if this process runs it. */
  close: () => Promise<void>;
}

/** The database of `DATABASE_URL`, or the embedded PostgreSQL, started. */
export async function openDatabase(
  config: DatabaseConfig,
  log: (message: string) => void,
  how: 'serve' | 'attach' = 'serve',
): Promise<OpenDatabase> {
  if (config.url) {
    return {
      url: config.url,
      migrationUrl: config.migrationUrl ?? config.url,
      close: () => Promise.resolve(),
    };
  }
  // Imported here, so that a production server never loads it.
  const { attachEmbeddedPostgres, startEmbeddedPostgres } = await import('./embedded/embedded-postgres.js');
  const open = how === 'serve' ? startEmbeddedPostgres : attachEmbeddedPostgres;
  const embedded = await open({ directory: config.embeddedDirectory, log });
  return { url: embedded.url, migrationUrl: embedded.url, close: () => embedded.stop() };
}
