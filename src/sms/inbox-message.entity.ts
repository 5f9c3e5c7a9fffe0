import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

import type { SmsPurpose } from './sms-sender.js';

/** A text that test mode did not send. */
@Entity('sms_inbox')
@Index('sms_inbox_recipient_idx', ['to', 'sequence'])
@Check('sms_inbox_purpose_check', `purpose IN ('sign_in', 'phone_change', 'phone_change_notice')`)
@Check('sms_inbox_otp_code_check', `(otp_code IS NULL) = (purpose = 'phone_change_notice')`)
export class InboxMessage {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'sms_inbox_pkey',
  })
  sequence!: string;

  @Column('uuid')
  id!: string;

  @Column('text', { name: 'recipient' })
  to!: string;

  @Column('text')
  body!: string;

  @Column('text', { name: 'otp_code', nullable: true })
  otpCode!: string | null;

  @Column('text')
  purpose!: SmsPurpose;

  @Column('timestamptz', { name: 'sent_at' })
  sentAt!: Date;
}
