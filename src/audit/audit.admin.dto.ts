import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, IsUUID } from 'class-validator';

import { ApiDateTime, ApiUuid } from '../platform/http/api-properties.js';
import { IsInstant } from '../platform/http/instant.decorator.js';
import { Optional } from '../platform/http/optional.decorator.js';
import { PageQueryDto } from '../platform/http/page.dto.js';
import { AUDIT_ACTIONS, type AuditAction } from './audit-action.js';
import type { AuditEntry } from './audit-entry.entity.js';

/** An entry is shown where all that is given is so of it. */
export class AuditLogQueryDto extends PageQueryDto {
  /** Who acted, or was acted on. @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  @Optional()
  @IsUUID()
  user_id?: string;

  /** Who acted. @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  @Optional()
  @IsUUID()
  actor_id?: string;

  /** What was done. @example "signed_in" */
  @ApiProperty({ enum: AUDIT_ACTIONS })
  @Optional()
  @IsString()
  @IsIn(AUDIT_ACTIONS)
  action?: AuditAction;

  /** At this moment or later. @example "2026-03-01T00:00:00Z" */
  @Optional()
  @IsInstant()
  from?: string;

  /** Before this moment. @example "2026-04-01T00:00:00Z" */
  @Optional()
  @IsInstant()
  to?: string;
}

/** One line of the audit log, whole. */
export class AuditEntryDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;

  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  at!: string;

  /**
   * The user who acted; null for the command line, and where nobody knows.
   * @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07"
   */
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true })
  actor_id!: string | null;

  /** @example "signed_in" */
  @ApiProperty({ enum: AUDIT_ACTIONS })
  action!: AuditAction;

  /** What kind of thing was acted on. @example "session" */
  object_type!: string;

  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true })
  object_id!: string | null;

  /** Null as well once the actor's account is erased. @example "203.0.113.7" */
  ip!: string | null;

  /** @example "ExampleApp/4.2 (Android 16)" */
  user_agent!: string | null;

  /** The header `X-Request-Id`. @example "5f0c7a52-6f0e-4d2c-9d3a-0d1b8a3f6c11" */
  request_id!: string | null;

  /** More about it, by action. @example { "reason": "logout" } */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { reason: 'logout' } })
  payload!: Record<string, unknown>;
}

export class AuditLogDto {
  /** Newest first. */
  items!: AuditEntryDto[];

  /** Ask for the next page with it as `cursor`; null on the last one. @example "AZNbLnwffVKaPkyNL2saBw" */
  next_cursor!: string | null;
}

export function toAuditEntryDto(entry: AuditEntry): AuditEntryDto {
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    actor_id: entry.actorId,
    action: entry.action,
    object_type: entry.objectType,
    object_id: entry.objectId,
    ip: entry.ip,
    user_agent: entry.userAgent,
    request_id: entry.requestId,
    payload: entry.payload,
  };
}
