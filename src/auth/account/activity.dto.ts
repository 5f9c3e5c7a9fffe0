import { ApiProperty } from '@nestjs/swagger';

import { AUDIT_ACTIONS, type AuditAction } from '../../audit/audit-action.js';
import type { AuditEntry } from '../../audit/audit-entry.entity.js';
import { ApiDateTime, ApiUuid } from '../../platform/http/api-properties.js';

/** One line of a user's own security log. */
export class ActivityDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;

  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  at!: string;

  /** What was done. More may be added: show those that you do not know by their name. @example "signed_in" */
  @ApiProperty({ enum: AUDIT_ACTIONS })
  action!: AuditAction;

  /** Whether the user did it; otherwise it was done to the account. */
  is_own!: boolean;

  /** The session that was acted on, if it was one. @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true })
  session_id!: string | null;

  /** Where it was done from; null for what an administrator did. @example "203.0.113.7" */
  ip!: string | null;

  /** @example "ExampleApp/4.2 (Android 16)" */
  user_agent!: string | null;

  /** More about it, by action; empty for what an administrator did. @example { "reason": "logout" } */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { reason: 'logout' } })
  details!: Record<string, unknown>;
}

export class ActivitiesDto {
  /** Newest first. */
  items!: ActivityDto[];

  /** Ask for the next page with it as `cursor`; null on the last one. @example "AZNbLnwffVKaPkyNL2saBw" */
  next_cursor!: string | null;
}

/**
 * @param options.isWhole with what staff wrote: it is about the user, who has a right to it (GDPR, article 15), though
 *   an app need not show it day by day.
 */
export function toActivityDto(
  entry: AuditEntry,
  userId: string,
  { isWhole = false }: { isWhole?: boolean } = {},
): ActivityDto {
  // Whose address it is matters to the user where it was theirs, or may have been a thief's; not where it was staff.
  const isShown = entry.actorId === userId || entry.actorId === null;
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    action: entry.action,
    is_own: entry.actorId === userId,
    session_id: entry.objectType === 'session' ? entry.objectId : sessionIn(entry.payload),
    ip: isShown ? entry.ip : null,
    user_agent: isShown ? entry.userAgent : null,
    details: isShown || isWhole ? entry.payload : {},
  };
}

function sessionIn({ session_id: id }: Record<string, unknown>): string | null {
  return typeof id === 'string' ? id : null;
}
