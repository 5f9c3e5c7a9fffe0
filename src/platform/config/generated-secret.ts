import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { AppKeys } from './app-keys.js';
import type { SecretConfig } from './secret.config.js';

/** The keys of `APP_SECRET`, or of the generated secret. */
export function appKeysOf({ secrets }: SecretConfig, directory: string): AppKeys {
  return new AppKeys(secrets.length > 0 ? secrets : [generatedSecret(directory)]);
}

/** The secret of a development checkout: made on first start, kept beside the embedded database. */
function generatedSecret(directory: string): string {
  const file = join(directory, 'app-secret');
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  try {
    // `wx`: of two processes that start at once on an empty folder, the second reads what the first made.
    writeFileSync(file, `${randomBytes(48).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const secret = readFileSync(file, 'utf8').trim();
  if (secret.length < 32) throw new Error(`${file} holds no secret: delete it to have a new one made`);
  return secret;
}
