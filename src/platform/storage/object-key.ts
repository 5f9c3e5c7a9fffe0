/** Whether this is the key of an object: nothing else is written, found or deleted, whatever lies beside it. */
export function isObjectKey(key: string): boolean {
  // Nothing that could lead out of a folder, on any system.
  return /^[a-z0-9][a-z0-9-]{1,98}\.[a-z0-9]{1,9}$/.test(key);
}

/** @throws {Error} where it is none: a fault of the caller, not of the store. */
export function requireObjectKey(key: string): void {
  if (!isObjectKey(key)) throw new Error('not a key of this storage');
}
