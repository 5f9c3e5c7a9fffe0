import { ApiDateTime, ApiUuid } from '../../platform/http/api-properties.js';
import type { Session } from './session.entity.js';

export class SessionDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;

  /** As the client called it when it signed in. @example "Pixel 9" */
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

  /** Whether it is the session of this request. */
  is_current!: boolean;
}

export class SessionsDto {
  /** The most recently used first. */
  items!: SessionDto[];
}

export function toSessionDto(session: Session, currentId: string): SessionDto {
  return {
    id: session.id,
    device_name: session.deviceName,
    ip: session.ip,
    user_agent: session.userAgent,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    is_current: session.id === currentId,
  };
}
