/** Everything that the audit log can say was done. A name, once released, keeps its meaning. */
export const AUDIT_ACTIONS = [
  /** A right code opened a session. */
  'signed_in',
  /** The payload's `reason`: `logout` or `ended` (by its user), `limit` (for a newer one). */
  'session_ended',
  'other_sessions_ended',
  /** A repeated refresh within its grace came from another address or user agent. */
  'refresh_repeated',
  /** A refresh token came again after its grace: the session was ended. */
  'refresh_token_reused',
  'phone_number_changed',
  'account_exported',
  'account_deleted',
  'role_granted',
  'role_revoked',
  /** The payload has `before` (null where there was nothing) and `after`, of what changed only. */
  'interest_created',
  'interest_changed',
  'user_suspended',
  'user_reactivated',
  /** By an administrator; the payload has `count`. */
  'user_sessions_ended',
  /** By the command line: what was counted for a number is forgotten. The payload has `failures` and `sends`. */
  'number_unlocked',
  /** By its rules; the payload has `scope`, `reason` and `open_until`. */
  'sms_breaker_opened',
  /** The payload has `scope`, and `reason`: `time`, or `trickle` where its codes were entered. */
  'sms_breaker_closed',
  /** By an administrator, or the command line; the payload has `scope`, `before` and `after`. */
  'sms_breaker_set',
  /** The fixed code of a test number opened its account; the payload has the masked number, as in the next. */
  'test_number_used',
  /** That code was right, but the account is somebody's: it opened nothing. */
  'test_number_refused',
  /** A texted code proved the number of a test account, which was erased for an account of their own. */
  'test_account_replaced',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];
