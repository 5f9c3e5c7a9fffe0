import type { Environment } from './load-config.js';

/** The environment of this process, with what `.env` in the working directory adds; what is set already wins. */
export function processEnvironment(): Environment {
  try {
    process.loadEnvFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return process.env;
}
