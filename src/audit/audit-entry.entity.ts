import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { AuditAction } from './audit-action.js';

/** What kind of thing was acted on. */
export type AuditObjectType = 'user' | 'session' | 'event_interest' | 'sms_breaker';

/**
 * One line of the audit log: who did what to what, from where. Of people it has ids only: no number, no name, no token.
 * Triggers refuse its change and deletion.
 */
@Entity('audit_log')
@Index('audit_log_actor_id_idx', ['actorId', 'id'])
@Index('audit_log_object_id_idx', ['objectId', 'id'])
@Index('audit_log_action_idx', ['action', 'id'])
export class AuditEntry {
  /** UUIDv7: in the order of time. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'audit_log_pkey' })
  id!: string;

  @Column('timestamptz')
  at!: Date;

  /** The user who acted; null for the command line, and where it may have been a thief. */
  @Column('uuid', { name: 'actor_id', nullable: true })
  actorId!: string | null;

  @Column('text')
  action!: AuditAction;

  @Column('text', { name: 'object_type' })
  objectType!: AuditObjectType;

  @Column('uuid', { name: 'object_id', nullable: true })
  objectId!: string | null;

  /** Null as well once the actor's account is erased. */
  @Column('text', { nullable: true })
  ip!: string | null;

  @Column('text', { name: 'user_agent', nullable: true })
  userAgent!: string | null;

  /** The header `X-Request-Id`. */
  @Column('text', { name: 'request_id', nullable: true })
  requestId!: string | null;

  @Column('jsonb')
  payload!: Record<string, unknown>;
}
