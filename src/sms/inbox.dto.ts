import { Type } from 'class-transformer';
import { IsInt, IsString, Max, Min } from 'class-validator';

import { ApiDateTime, ApiInteger, ApiUuid } from '../platform/http/api-properties.js';
import { Optional } from '../platform/http/optional.decorator.js';
import type { InboxMessage } from './inbox-message.entity.js';

export class InboxQueryDto {
  /**
   * Only texts to this number.
   * @example "+14155552671"
   */
  @Optional()
  @IsString()
  to?: string;

  /** How many at most. */
  @ApiInteger()
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit?: number = 100;
}

export class InboxMessageDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;

  /** @example "+14155552671" */
  to!: string;

  /** @example "4821 is your Latchkey code. It expires in 10 minutes. Do not share it. @localhost #4821" */
  body!: string;

  /** @example "4821" */
  otp_code!: string | null;

  /** @example "sign_in" */
  purpose!: 'sign_in' | 'phone_change' | 'phone_change_notice';

  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  sent_at!: string;
}

export class InboxMessagesDto {
  items!: InboxMessageDto[];
}

export function toInboxMessageDto(message: InboxMessage): InboxMessageDto {
  return {
    id: message.id,
    to: message.to,
    body: message.body,
    otp_code: message.otpCode,
    purpose: message.purpose,
    sent_at: message.sentAt.toISOString(),
  };
}
