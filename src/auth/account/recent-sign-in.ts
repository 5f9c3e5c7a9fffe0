import type { Caller } from '../../platform/http/current-user.decorator.js';
import { Problem } from '../../platform/http/problem.js';

const RECENT_MS = 10 * 60 * 1000;

/**
 * For what would hand an account to whoever finds its phone unlocked: refreshing does not make a sign-in recent.
 *
 * @throws {Problem} `reauthentication_required` where the caller signed in ten minutes ago or longer.
 */
export function requireRecentSignIn({ authenticatedAt }: Caller, now: Date): void {
  const age = now.getTime() - authenticatedAt.getTime();
  // Said this way round, a time that is none is not recent.
  if (!(age < RECENT_MS)) throw new Problem('reauthentication_required');
}
