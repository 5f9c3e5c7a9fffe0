import type { AdministrationConfig } from './administration.config.js';

/** How the user of a session proved themselves, and where it is used from. */
export interface RoleUse {
  /** Digits of the code that opened the session. */
  codeLength: number;
  authenticatedAt: Date;
  ip: string;
  now: Date;
}

const ADMIN_CODE_LENGTH = 8;

/**
 * Those of a user's roles that count here and now: `admin` only in a session that a code of 8 digits has opened (four
 * never guard an administrator), soon after that, and from an allowed address.
 */
export function rolesInForce(
  roles: readonly string[],
  { codeLength, authenticatedAt, ip, now }: RoleUse,
  { maxAuthAgeSeconds, isAllowedFrom }: AdministrationConfig,
): readonly string[] {
  const isRecent = now.getTime() - authenticatedAt.getTime() < maxAuthAgeSeconds * 1000;
  const isAdmin = codeLength >= ADMIN_CODE_LENGTH && isRecent && isAllowedFrom(ip);
  return isAdmin ? roles : roles.filter((role) => role !== 'admin');
}
