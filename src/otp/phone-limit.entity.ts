import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What is counted for one number, under an HMAC of it: it outlives the account. */
@Entity('phone_limits')
export class PhoneLimit {
  @PrimaryColumn('bytea', { name: 'phone_key', primaryKeyConstraintName: 'phone_limits_pkey' })
  phoneKey!: Buffer;

  /** Before this time no other code is sent to the number. */
  @Column('timestamptz', { name: 'next_send_at' })
  nextSendAt!: Date;
}
