import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsString } from 'class-validator';

import { AuditEntryDto, toAuditEntryDto } from '../../audit/audit.admin.dto.js';
import { ApiDateTime, ApiUuid } from '../../platform/http/api-properties.js';
import { IsCursor } from '../../platform/http/cursor.js';
import { Optional } from '../../platform/http/optional.decorator.js';
import { LimitQueryDto } from '../../platform/http/page.dto.js';
import { IsText } from '../../platform/http/text.decorators.js';
import type { ProfilePresenter } from '../../users/profile-presenter.js';
import { ProfileDto } from '../../users/profile.dto.js';
import { userCursor } from '../../users/user-search.js';
import type { FoundUser } from '../../users/user-search-rows.js';
import type { User } from '../../users/user.entity.js';
import type { Session } from '../sessions/session.entity.js';
import type { UserInDetail } from './user-details.service.js';

const STATUSES = ['active', 'suspended', 'deleted'] as const;

const ApiOptionalDateTime = (): PropertyDecorator =>
  ApiProperty({ type: 'string', format: 'date-time', nullable: true });

/** A + that was not encoded arrives as a space. To stand first, before that is trimmed. */
const MendPlus = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.replace(/^ (?=[\d(])/, '+') : value,
  );

export class UserSearchQueryDto extends LimitQueryDto {
  /**
   * A phone number with its country code, an id, or how the name begins, whatever its case and accents. All users where
   * it is left out.
   * @example "ana p"
   */
  @MendPlus()
  @Optional()
  @IsText({ max: 100 })
  q?: string;

  /** Only those of this status. @example "active" */
  @Optional()
  @IsString()
  @IsIn(STATUSES)
  status?: 'active' | 'suspended' | 'deleted';

  /**
   * The `next_cursor` of the page before; the first page has none.
   * @example "eyJuYW1lIjoiYW5hIHBlcmV6IiwiaWQiOiIwMTkzNWIyZS03YzFmLTdkNTItOWEzZS00YzhkMmY2YjFhMDcifQ"
   */
  @IsCursor(userCursor)
  cursor?: string;
}

export class SuspendUserDto {
  /**
   * 1 to 500 characters, for staff. It stands in the audit log, and in the export that the user may ask for: name nobody
   * else in it.
   * @example "Sends advertisements to strangers."
   */
  @IsText({ min: 1, max: 500 })
  reason!: string;
}

export class UserDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;

  /** E.164; null once deleted. @example "+14155552671" */
  phone_number!: string | null;

  /** @example "active" */
  status!: 'active' | 'suspended' | 'deleted';

  /** @example "Ana Pérez" */
  name!: string | null;

  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  created_at!: string;

  /** Null once deleted. @example "2026-03-08T09:30:00.000Z" */
  @ApiOptionalDateTime()
  last_sign_in_at!: string | null;

  /** Whether or not they are in force. @example [] */
  roles!: string[];

  needs_profile_completion!: boolean;
}

export class UsersDto {
  /** By name where one was searched for, else the newest first. */
  items!: UserDto[];

  /**
   * Ask for the next page with it as `cursor`, and the same `q`; null on the last one.
   * @example "eyJuYW1lIjoiYW5hIHBlcmV6IiwiaWQiOiIwMTkzNWIyZS03YzFmLTdkNTItOWEzZS00YzhkMmY2YjFhMDcifQ"
   */
  next_cursor!: string | null;
}

export class SuspensionDto {
  /** @example "Sends advertisements to strangers." */
  reason!: string;

  /** Since when. @example "2026-03-09T18:00:00.000Z" */
  @ApiDateTime()
  at!: string;

  /** The administrator. @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a08" */
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true })
  by!: string | null;
}

export class SessionOfUserDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;

  /** @example "Pixel 9" */
  device_name!: string | null;

  /** Where it was last refreshed from. @example "203.0.113.7" */
  ip!: string;

  /** @example "ExampleApp/4.2 (Android 16)" */
  user_agent!: string | null;

  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  created_at!: string;

  /** The last sign-in or refresh. @example "2026-03-08T09:30:00.000Z" */
  @ApiDateTime()
  last_used_at!: string;

  /** @example "2026-04-07T09:30:00.000Z" */
  @ApiDateTime()
  expires_at!: string;
}

export class UserDetailsDto extends UserDto {
  /** Whether the fixed code of a test number made it. */
  is_test!: boolean;

  /** Null for users who are not suspended, or not by an administrator. */
  suspension!: SuspensionDto | null;

  /** As the user sees it; null once deleted. */
  profile!: ProfileDto | null;

  /** Those that live, the most recently used first. */
  sessions!: SessionOfUserDto[];

  /** The newest 20 entries of what the user did and what was done to them, newest first. */
  audit_log!: AuditEntryDto[];
}

export function toUserDto(user: FoundUser): UserDto {
  return {
    id: user.userId,
    phone_number: user.phoneNumber,
    status: user.status,
    name: user.name,
    created_at: user.createdAt.toISOString(),
    last_sign_in_at: user.lastSignInAt?.toISOString() ?? null,
    roles: [...user.roles],
    needs_profile_completion: !user.isProfileCompleted,
  };
}

export function toUserDetailsDto(
  { user, profile, sessions, entries }: UserInDetail,
  presenter: ProfilePresenter,
): UserDetailsDto {
  return {
    id: user.id,
    phone_number: user.phoneNumber,
    status: user.status,
    name: profile?.name ?? null,
    created_at: user.createdAt.toISOString(),
    last_sign_in_at: user.lastSignInAt?.toISOString() ?? null,
    roles: user.roles,
    needs_profile_completion: !profile?.completedAt,
    is_test: user.isTest,
    suspension: toSuspensionDto(user),
    profile: profile ? presenter.present(profile) : null,
    sessions: sessions.map(toSessionOfUserDto),
    audit_log: entries.map(toAuditEntryDto),
  };
}

function toSuspensionDto({
  suspensionReason: reason,
  suspendedAt: at,
  suspendedBy: by,
}: User): SuspensionDto | null {
  return reason === null || at === null ? null : { reason, at: at.toISOString(), by };
}

function toSessionOfUserDto(session: Session): SessionOfUserDto {
  return {
    id: session.id,
    device_name: session.deviceName,
    ip: session.ip,
    user_agent: session.userAgent,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
  };
}
