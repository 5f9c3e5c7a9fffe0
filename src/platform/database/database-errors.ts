// SQLSTATE classes and codes (PostgreSQL, appendix A) that say "not now" rather than "not so".
const UNAVAILABLE = /^(08...|53[023]00|57P0[1-5])$/;
const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
const POOL_MESSAGES =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client has encountered a connection error/;

/** True where the database cannot be reached, is starting, is stopping or has no connection to give. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  const cause = driverErrorOf(error);
  // PostgreSQL refused the connection itself: the database is closed, dropped, or has changed its password.
  if ('severity' in cause && cause.severity === 'FATAL') return true;
  const code = databaseErrorCode(cause);
  if (code === undefined) return POOL_MESSAGES.test(error.message);
  // A system call that failed; a client that hung up has the same code, but made none.
  return UNAVAILABLE.test(code) || (UNREACHABLE.has(code) && 'syscall' in cause);
}

/** True where a connection stands, and nothing comes over it. */
export function isNoAnswer(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** True where a unique index refused a row: somebody else was faster. */
export function isUniqueViolation(error: unknown): boolean {
  return databaseErrorCode(error) === '23505';
}

/** The name of the unique index (or constraint) that refused a row, where one did. */
export function violatedUniqueIndex(error: unknown): string | undefined {
  if (!(error instanceof Error && isUniqueViolation(error))) return undefined;
  const { constraint } = driverErrorOf(error) as { constraint?: string };
  return constraint;
}

/** The SQLSTATE, or the system's code, of an error of `pg`, wrapped by TypeORM or not. */
export function databaseErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = driverErrorOf(error) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

function driverErrorOf(error: Error): Error {
  return 'driverError' in error && error.driverError instanceof Error ? error.driverError : error;
}
