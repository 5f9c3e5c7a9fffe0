import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString } from 'class-validator';

import { ApiDateTime, ApiInteger } from '../../platform/http/api-properties.js';
import { Optional } from '../../platform/http/optional.decorator.js';
import { LimitQueryDto } from '../../platform/http/page.dto.js';
import { rule } from '../../platform/http/text.decorators.js';
import { COUNTRIES } from '../../platform/phone-number.js';
import { BREAKER_RULES } from './breaker-rules.js';
import { BREAKER_SCOPES, parseScope } from './breaker-scope.js';
import { BREAKER_SETTINGS } from './breaker.config.js';
import { FORCED_STATES, type ForcedState } from './set-breaker.js';
import type { SendDecision } from './sms-status-rows.js';
import type { BreakerEntry, SmsStatus } from './sms-status.js';

const STATES = ['open', 'closed'] as const;

export class SmsStatusQueryDto extends LimitQueryDto {
  /** Only what is of this country (ISO 3166-1 alpha-2). @example "BR" */
  @Optional()
  @IsString()
  @IsIn([...COUNTRIES])
  @ApiProperty({ type: 'string', pattern: '^[A-Z]{2}$' })
  country?: string;
}

export class BreakerScopeDto {
  /** `service`, `country:` and an ISO 3166-1 code, or `prefix:` and a number without its last four digits. */
  @ApiProperty({ example: 'country:BR' })
  @IsString()
  @rule('scope', `scope must be ${BREAKER_SCOPES}`, (text) => parseScope(text) !== undefined)
  scope!: string;
}

export class SetBreakerDto {
  /** `open` and `closed` go until it is `auto` again: then the rules decide. @example "open" */
  @ApiProperty({ enum: FORCED_STATES })
  @IsString()
  @IsIn(FORCED_STATES)
  state!: ForcedState;
}

/** What opened a breaker. */
export class BreakerReasonDto {
  /** The rule that was broken; `provider`: the provider blocks the prefix; `administrator`: by hand. @example "hour" */
  @ApiProperty({ enum: BREAKER_RULES })
  rule!: string;

  /** Sends that nobody entered the code of; null where none were counted. @example 14 */
  @ApiProperty({ type: 'integer', nullable: true })
  used!: number | null;

  /** How many there might have been. @example 10 */
  @ApiProperty({ type: 'integer', nullable: true })
  limit!: number | null;

  /** The part of those counted whose code was entered. @example 0.067 */
  @ApiProperty({ type: 'number', nullable: true })
  verified_ratio!: number | null;
}

/** The breaker of a scope, and what went to its numbers. */
export class BreakerDto {
  /** @example "country:BR" */
  scope!: string;

  /** Open: to numbers that have never signed in, one text goes each five minutes. @example "open" */
  @ApiProperty({ enum: STATES })
  state!: string;

  /** `auto`: its rules decide; otherwise an administrator has. @example "auto" */
  @ApiProperty({ enum: FORCED_STATES })
  mode!: string;

  /** Null while it is closed, and where an administrator holds it. @example "2026-03-01T13:00:00.000Z" */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  open_until!: string | null;

  /** Null while it is closed. */
  @ApiProperty({ type: BreakerReasonDto, nullable: true })
  reason!: BreakerReasonDto | null;

  /** Codes sent in the last hour. @example 31 */
  @ApiInteger()
  sends_1h!: number;

  /** In the last 24 hours, as all that follows. @example 420 */
  @ApiInteger()
  sends_24h!: number;

  /** The part of them whose number has signed in; null without sends. @example 0.714 */
  @ApiProperty({ type: 'number', nullable: true })
  verified_ratio!: number | null;

  /** Those whose number has not. @example 120 */
  @ApiInteger()
  unverified!: number;

  /** Those that arrived, by the word of the carrier. @example 398 */
  @ApiInteger()
  delivered!: number;

  /** Sends that the breaker refused, or would have. @example 0 */
  @ApiInteger()
  refused!: number;
}

export class ServiceBreakerDto extends BreakerDto {
  /** Sends to numbers without an account whose code was not entered, older than ten minutes. @example 310 */
  @ApiInteger()
  cap_used!: number;

  /** `SMS_DAILY_CAP`. @example 1000 */
  @ApiInteger()
  cap_limit!: number;

  /** Whether a limit of the service is used to 70 %. */
  alarm!: boolean;
}

/** Why a code was sent as it was. */
export class SendDecisionDto {
  /** @example "2026-03-01T12:00:00.000Z" */
  @ApiDateTime()
  sent_at!: string;

  /** @example "BR" */
  country!: string;

  /** The number without its last four digits. @example "+551196123" */
  prefix!: string;

  /** @example 4 */
  @ApiInteger()
  code_length!: number;

  /** What was counted and decided. @example { "scope": "country:BR", "outcome": "trickle", "rule": "hour" } */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { scope: 'country:BR', outcome: 'trickle', rule: 'hour', used: 14, limit: 10 },
  })
  decision!: object;
}

export class SmsStatusDto {
  /** `SMS_BREAKER`. @example "on" */
  @ApiProperty({ enum: BREAKER_SETTINGS })
  mode!: string;

  service!: ServiceBreakerDto;

  /** Those with the most unverified sends first, and all that are open or held. */
  countries!: BreakerDto[];

  /** Likewise; where very many have sends, of those in the newest hours. */
  prefixes!: BreakerDto[];

  /** The newest sends. */
  decisions!: SendDecisionDto[];
}

export function toSmsStatusDto(status: SmsStatus): SmsStatusDto {
  const { cap, isAlarm } = status.service;
  return {
    mode: status.setting,
    service: { ...fieldsOf(status.service), cap_used: cap.used, cap_limit: cap.limit, alarm: isAlarm },
    countries: status.countries.map(toBreakerDto),
    prefixes: status.prefixes.map(toBreakerDto),
    decisions: status.decisions.map(toDecisionDto),
  };
}

export function toBreakerDto(entry: BreakerEntry): BreakerDto {
  return fieldsOf(entry);
}

function fieldsOf(entry: BreakerEntry) {
  return {
    scope: entry.scope,
    state: entry.state,
    mode: entry.mode,
    open_until: entry.openUntil?.toISOString() ?? null,
    reason: entry.reason,
    sends_1h: entry.sends1h,
    sends_24h: entry.sends24h,
    verified_ratio: entry.verifiedRatio,
    unverified: entry.unverified,
    delivered: entry.delivered,
    refused: entry.refused,
  };
}

function toDecisionDto({ sent_at, country, prefix, code_length, decision }: SendDecision): SendDecisionDto {
  return { sent_at: sent_at.toISOString(), country, prefix, code_length, decision };
}
