// SQLSTATE classes and codes (PostgreSQL, appendix A) that say "not now" rather than "not so".
const UNAVAILABLE = /^(08...|53[023]00|57P0[1-5])$/;
const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
const POOL_MESSAGES =
  /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error/;

/** True where the database cannot be reached, is starting, is stopping or has no connection to give. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  const code = databaseErrorCode(error);
  return code === undefined
    ? POOL_MESSAGES.test(error.message)
    : UNAVAILABLE.test(code) || UNREACHABLE.has(code);
}

/** The SQLSTATE, or the system's code, of an error of `pg`, wrapped by TypeORM or not. */
export function databaseErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  const found = code ?? driverError?.code;
  return typeof found === 'string' ? found : undefined;
}
