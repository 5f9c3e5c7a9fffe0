import { Problem } from '../http/problem.js';

/** What the SDK throws: an answer of the store that is a refusal, or whatever kept an answer from coming. */
interface S3Error {
  name?: string;
  message?: string;
  code?: unknown;
  cause?: unknown;
  $metadata?: { httpStatusCode?: number };
}

/** There is no such object; a bucket that is not there is another matter. */
export function isMissing(error: unknown): boolean {
  const { name } = error as S3Error;
  return name === 'NoSuchKey' || name === 'NotFound';
}

/** Of the error only words go on: the SDK hangs requests and answers, with signatures in them, on what it throws. */
export function toStorageUnavailable(error: unknown): Problem {
  const { name, message, code, $metadata: { httpStatusCode: status } = {} } = rootOf(error);
  // A name that stands for several addresses is refused without a message.
  const words = [name, status, message || String(code)].filter((word) => word !== undefined).join(' ');
  return new Problem('storage_unavailable', undefined, { cause: new Error(words) });
}

function rootOf(error: unknown): S3Error {
  const thrown = error as S3Error;
  return thrown.name === 'AbortError' && thrown.cause instanceof Error ? thrown.cause : thrown;
}
