import { ApiProperty } from '@nestjs/swagger';

import type { PhoneOtp } from '../../otp/phone-otp.entity.js';
import { ApiDateTime, ApiInteger, ApiUuid } from '../../platform/http/api-properties.js';
import { each, type Streamed } from '../../platform/http/streamed-json.js';
import { CoordinatesDto, toCoordinatesDto } from '../../users/coordinates/coordinates.dto.js';
import { ProfileDto } from '../../users/profile.dto.js';
import type { User } from '../../users/user.entity.js';
import type { AccountExport } from './account-export.service.js';
import { ActivityDto, toActivityDto } from './activity.dto.js';
import type { Session } from '../sessions/session.entity.js';

const ApiOptionalDateTime = (): PropertyDecorator =>
  ApiProperty({ type: 'string', format: 'date-time', nullable: true });

export class ExportedAccountDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;
  /** E.164. @example "+14155552671" */
  phone_number!: string | null;
  /** @example "active" */
  status!: 'active' | 'suspended' | 'deleted';
  /** @example [] */
  roles!: string[];
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  created_at!: string;
  /** @example "2026-03-08T09:30:00.000Z" */
  @ApiOptionalDateTime()
  last_sign_in_at!: string | null;
  /** When codes for another number were asked for, of the last day. @example [] */
  phone_changes_asked_at!: string[];
  /** When uploads of pictures were begun, of an hour. @example ["2026-03-08T09:12:00.000Z"] */
  uploads_at!: string[];
  /** When the profile was completed. @example "2026-03-01T12:05:00.000Z" */
  @ApiOptionalDateTime()
  profile_completed_at!: string | null;
}

export class ExportedSessionDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;
  /** @example "Pixel 9" */
  device_name!: string | null;
  /** @example "203.0.113.7" */
  ip!: string;
  /** @example "ExampleApp/4.2 (Android 16)" */
  user_agent!: string | null;
  /** How often it was refreshed. @example 12 */
  @ApiInteger()
  refreshes!: number;
  /** Digits of the code that opened it. @example 4 */
  @ApiInteger()
  code_length!: number;
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  authenticated_at!: string;
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  created_at!: string;
  /** @example "2026-03-08T09:30:00.000Z" */
  @ApiDateTime()
  last_used_at!: string;
  /** @example "2026-03-08T09:30:00.000Z" */
  @ApiOptionalDateTime()
  rotated_at!: string | null;
  /** @example "2026-04-07T09:30:00.000Z" */
  @ApiDateTime()
  expires_at!: string;
  /** @example "2026-03-09T18:00:00.000Z" */
  @ApiOptionalDateTime()
  revoked_at!: string | null;
  /** @example "logout" */
  revoked_reason!: string | null;
  /** @example "android" */
  push_platform!: 'ios' | 'android' | 'web' | null;
  /** @example "dGhpcyBpcyBub3QgYSByZWFsIHRva2Vu" */
  push_token!: string | null;
}

export class ExportedCodeDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;
  /** Where it was sent to. @example "+14155552671" */
  phone_number!: string;
  /** @example "sign_in" */
  purpose!: 'sign_in' | 'phone_change';
  /** @example 4 */
  @ApiInteger()
  code_length!: number;
  /** Guesses. @example 1 */
  @ApiInteger()
  attempts!: number;
  is_used!: boolean;
  /**
   * The session that it opened, where that was asked for with an Idempotency-Key.
   * @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07"
   */
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true })
  session_id!: string | null;
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  created_at!: string;
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiOptionalDateTime()
  sent_at!: string | null;
  /** What the provider last said of its text. @example "delivered" */
  delivery_status!:
    'queued' | 'accepted' | 'sending' | 'sent' | 'delivered' | 'undelivered' | 'failed' | null;
  /** Why it did not arrive, as Twilio counts its errors. @example 30003 */
  @ApiProperty({ type: 'integer', nullable: true })
  delivery_error!: number | null;
  /** @example "2026-03-01T12:00:04.000Z" */
  @ApiOptionalDateTime()
  delivered_at!: string | null;
  /** @example "2026-03-01T12:10:00.000Z" */
  @ApiDateTime()
  expires_at!: string;
}

/** All that is kept about a user. Lists are complete. */
export class AccountExportDto {
  /** @example "2026-03-08T09:30:00.000Z" */
  @ApiDateTime()
  exported_at!: string;
  account!: ExportedAccountDto;
  profile!: ProfileDto;
  /** Where the user was, newest first; of the last `LOCATION_HISTORY_DAYS`. */
  location_trail!: CoordinatesDto[];
  /** Those that live, and those that ended lately. */
  sessions!: ExportedSessionDto[];
  /** Of the last day; the codes themselves are not kept. */
  codes!: ExportedCodeDto[];
  /** The whole security log, newest first; with all details of what administrators did. */
  activity!: ActivityDto[];
}

export function toAccountExportDto(
  { exportedAt, user, profile: { completedAt }, trail, sessions, codes, activity }: AccountExport,
  profile: ProfileDto,
): Streamed<AccountExportDto> {
  return {
    exported_at: exportedAt.toISOString(),
    account: toExportedAccountDto(user, completedAt),
    profile,
    location_trail: each(trail, toCoordinatesDto),
    sessions: each(sessions, toExportedSessionDto),
    codes: each(codes, toExportedCodeDto),
    activity: each(activity, (entry) => toActivityDto(entry, user.id, { isWhole: true })),
  };
}

function toExportedAccountDto(user: User, profileCompletedAt: Date | null): ExportedAccountDto {
  return {
    id: user.id,
    phone_number: user.phoneNumber,
    status: user.status,
    roles: user.roles,
    created_at: user.createdAt.toISOString(),
    last_sign_in_at: timeOrNull(user.lastSignInAt),
    phone_changes_asked_at: user.phoneChangesAskedAt.map((time) => time.toISOString()),
    uploads_at: user.uploadsAt.map((time) => time.toISOString()),
    profile_completed_at: timeOrNull(profileCompletedAt),
  };
}

function toExportedSessionDto(session: Session): ExportedSessionDto {
  return {
    id: session.id,
    device_name: session.deviceName,
    ip: session.ip,
    user_agent: session.userAgent,
    refreshes: session.counter,
    code_length: session.codeLength,
    authenticated_at: session.authenticatedAt.toISOString(),
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    rotated_at: timeOrNull(session.rotatedAt),
    expires_at: session.expiresAt.toISOString(),
    revoked_at: timeOrNull(session.revokedAt),
    revoked_reason: session.revokedReason,
    push_platform: session.pushPlatform,
    push_token: session.pushToken,
  };
}

function toExportedCodeDto(code: PhoneOtp): ExportedCodeDto {
  return {
    id: code.id,
    phone_number: code.phoneNumber,
    purpose: code.purpose,
    code_length: code.codeLength,
    attempts: code.attempts,
    is_used: code.isVerified,
    session_id: code.sessionId,
    created_at: code.createdAt.toISOString(),
    sent_at: timeOrNull(code.sentAt),
    delivery_status: code.deliveryStatus,
    delivery_error: code.deliveryError,
    delivered_at: timeOrNull(code.deliveredAt),
    expires_at: code.expiresAt.toISOString(),
  };
}

function timeOrNull(time: Date | null): string | null {
  return time?.toISOString() ?? null;
}
