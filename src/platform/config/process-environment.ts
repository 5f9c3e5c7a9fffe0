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

const OF_THE_SYSTEM = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot'];

/** What a child needs to start, and nothing that is secret, with `settings` of its own. */
export function childEnvironment(settings: Environment): Environment {
  return {
    ...Object.fromEntries(OF_THE_SYSTEM.map((name) => [name, process.env[name]])),
    ...settings,
  };
}
