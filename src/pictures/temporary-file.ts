import { buffer } from 'node:stream/consumers';

import type { UploadedFile } from '../platform/http/multipart.js';
import { Problem } from '../platform/http/problem.js';
import { openNameless } from '../platform/nameless-file.js';

/**
 * Takes an upload in, however slowly it comes, without keeping it in memory, and hands it to `work` for as long as
 * that takes. The file loses its name at once, so that nothing of an original outlives the process, killed or not.
 */
export async function withTemporaryFile<T>(
  upload: UploadedFile,
  work: (read: () => Promise<Buffer>) => Promise<T>,
): Promise<T> {
  const file = await orUnavailable(openNameless());
  try {
    for await (const chunk of upload) await orUnavailable(file.writeFile(chunk));
    return await work(() => orUnavailable(buffer(file.createReadStream({ start: 0, autoClose: false }))));
  } finally {
    await file.close();
  }
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Problem('storage_unavailable', undefined, { cause: error });
  }
}
