import { DataSource } from 'typeorm';

import type { AppKeys } from '../../platform/config/app-keys.js';
import { dataSourceOptions } from '../../platform/database/data-source-options.js';
import { OperatorError } from '../../platform/operator-error.js';
import { KeySeal } from './key-seal.js';
import { type Rotation, rotateSigningKeys } from './signing-key-rotation.js';

/**
 * Rotates the signing keys from the command line, servers running or not.
 *
 * @returns what happens when, for an operator.
 * @throws {OperatorError} where the secret is not that of the servers.
 */
export async function rotateKeys(url: string, keys: AppKeys, now: Date): Promise<string> {
  const dataSource = await new DataSource(dataSourceOptions(url, 1)).initialize();
  try {
    const rotation = await dataSource.transaction((transaction) =>
      rotateSigningKeys(transaction, new KeySeal(keys), now),
    );
    if (!rotation) {
      throw new OperatorError(
        'No signing key can be decrypted, so the new one was not made: run this with the APP_SECRET of the servers.',
      );
    }
    return inWords(rotation);
  } finally {
    await dataSource.destroy();
  }
}

function inWords({ kid, signsFrom, oldRetiresFrom, isUnderWay }: Rotation): string {
  return [
    isUnderWay
      ? `A rotation is under way already; nothing was changed. The new key is ${kid}.`
      : `A new signing key is made: ${kid}.`,
    `  now               it is published in /.well-known/jwks.json; running servers accept it within seconds`,
    `  ${minute(signsFrom)}  it signs access tokens, on every server`,
    `  ${minute(oldRetiresFrom)}  the last token of the key before it has expired; within the hour that key is withdrawn`,
    'No server needs a restart, and nobody is signed out.',
  ].join('\n');
}

function minute(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
