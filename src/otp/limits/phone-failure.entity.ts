import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A wrong guess at a code of a number, for as long as it makes the number's next codes longer. */
@Entity('phone_failures')
@Index('phone_failures_phone_key_idx', ['phoneKey', 'failedAt'])
export class PhoneFailure {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'phone_failures_pkey' })
  id!: string;

  /** HMAC of the number. */
  @Column('bytea', { name: 'phone_key' })
  phoneKey!: Buffer;

  @Column('timestamptz', { name: 'failed_at' })
  failedAt!: Date;

  /** Id of the device that had asked for the code, if it was one of the number's own. */
  @Column('text', { name: 'device_key', nullable: true })
  deviceKey!: string | null;

  /** HMAC of the address (IPv4 /32, IPv6 /64) that guessed. */
  @Column('text', { name: 'address_key' })
  addressKey!: string;

  /** HMAC of its network (IPv4 /24, IPv6 /48). */
  @Column('text', { name: 'network_key' })
  networkKey!: string;

  /** Of the number, ISO 3166-1 alpha-2. */
  @Column('text')
  country!: string;

  @Column('smallint', { name: 'code_length' })
  codeLength!: number;

  /** Whether the number has since signed in from that address. */
  @Column('boolean', { name: 'is_forgiven', default: false })
  isForgiven!: boolean;
}
