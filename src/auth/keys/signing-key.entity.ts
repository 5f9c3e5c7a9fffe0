import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The public half of a P-256 key (RFC 7518, section 6.2). */
export interface EcPublicJwk {
  kty: 'EC';
  crv: 'P-256';
  x: string;
  y: string;
}

/** A key that signs access tokens. Its private half is encrypted under a key derived from the master secret. */
@Entity('signing_keys')
@Check('signing_keys_private_key_check', `private_key IS NOT NULL OR retired_at IS NOT NULL`)
export class SigningKey {
  /** JWK thumbprint (RFC 7638). */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'signing_keys_pkey' })
  kid!: string;

  @Column('jsonb', { name: 'public_jwk' })
  publicJwk!: EcPublicJwk;

  /** AES-256-GCM: nonce (12 bytes), tag (16), PKCS #8. It goes when the key retires. */
  @Column('bytea', { name: 'private_key', nullable: true })
  privateKey!: Buffer | null;

  /** The secret that encrypts it. */
  @Column('text', { name: 'key_id' })
  keyId!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  /** Until the next key does. */
  @Column('timestamptz', { name: 'signs_from' })
  signsFrom!: Date;

  /** From then on it is not published, and its tokens are not accepted. */
  @Column('timestamptz', { name: 'retired_at', nullable: true })
  retiredAt!: Date | null;
}
