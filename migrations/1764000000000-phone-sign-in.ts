import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users, profiles, one-time codes, sessions, signing keys, and the inbox of test mode. */
export class PhoneSignIn1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id uuid CONSTRAINT users_pkey PRIMARY KEY,
        phone_number text CONSTRAINT users_phone_number_key UNIQUE,
        status text NOT NULL DEFAULT 'active',
        roles text[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL,
        last_sign_in_at timestamptz,
        CONSTRAINT users_status_check CHECK (status IN ('active', 'suspended', 'deleted')),
        CONSTRAINT users_phone_number_check CHECK ((phone_number IS NULL) = (status = 'deleted'))
      )`);
    await runner.query(`
      CREATE TABLE user_profiles (
        user_id uuid CONSTRAINT user_profiles_pkey PRIMARY KEY,
        name text,
        bio text,
        location text,
        birth_date date,
        gender text,
        completed_at timestamptz,
        is_verified boolean NOT NULL DEFAULT false,
        latitude double precision,
        longitude double precision,
        accuracy_m double precision,
        located_at timestamptz,
        version integer NOT NULL DEFAULT 1,
        updated_at timestamptz NOT NULL,
        CONSTRAINT user_profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT user_profiles_gender_check CHECK (gender IN ('male', 'female', 'other', 'prefer_not_to_say')),
        CONSTRAINT user_profiles_completed_check CHECK (
          completed_at IS NULL OR (name IS NOT NULL AND birth_date IS NOT NULL AND gender IS NOT NULL)
        ),
        CONSTRAINT user_profiles_coordinates_check CHECK (
          (latitude IS NULL) = (longitude IS NULL) AND (latitude IS NULL) = (located_at IS NULL)
        )
      )`);
    await runner.query(`
      CREATE TABLE phone_otps (
        id uuid CONSTRAINT phone_otps_pkey PRIMARY KEY,
        phone_number text NOT NULL,
        purpose text NOT NULL,
        user_id uuid,
        code_challenge text,
        otp_hash bytea NOT NULL,
        otp_salt bytea NOT NULL,
        key_id text NOT NULL,
        code_length smallint NOT NULL,
        is_verified boolean NOT NULL DEFAULT false,
        attempts smallint NOT NULL DEFAULT 0,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        sent_at timestamptz,
        CONSTRAINT phone_otps_purpose_check CHECK (purpose IN ('sign_in', 'phone_change')),
        CONSTRAINT phone_otps_user_check CHECK ((purpose = 'phone_change') = (user_id IS NOT NULL)),
        CONSTRAINT phone_otps_code_length_check CHECK (code_length BETWEEN 4 AND 8),
        CONSTRAINT phone_otps_attempts_check CHECK (attempts >= 0)
      )`);
    await runner.query(`CREATE INDEX phone_otps_phone_number_idx ON phone_otps (phone_number)`);
    await runner.query(`
      CREATE UNIQUE INDEX phone_otps_pending_key ON phone_otps (phone_number, purpose, user_id, code_challenge)
        NULLS NOT DISTINCT WHERE sent_at IS NOT NULL AND NOT is_verified`);
    await runner.query(`
      CREATE TABLE phone_limits (
        phone_key bytea CONSTRAINT phone_limits_pkey PRIMARY KEY,
        next_send_at timestamptz NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE sessions (
        id uuid CONSTRAINT sessions_pkey PRIMARY KEY,
        user_id uuid NOT NULL,
        salt bytea NOT NULL,
        counter integer NOT NULL DEFAULT 0,
        code_length smallint NOT NULL,
        device_name text,
        ip text NOT NULL,
        user_agent text,
        authenticated_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        rotated_at timestamptz,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        revoked_reason text,
        CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT sessions_counter_check CHECK (counter >= 0),
        CONSTRAINT sessions_revoked_check CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
      )`);
    await runner.query(`CREATE INDEX sessions_user_id_idx ON sessions (user_id)`);
    await runner.query(`
      CREATE TABLE signing_keys (
        kid text CONSTRAINT signing_keys_pkey PRIMARY KEY,
        public_jwk jsonb NOT NULL,
        private_key bytea NOT NULL,
        key_id text NOT NULL,
        created_at timestamptz NOT NULL,
        signs_from timestamptz NOT NULL,
        retired_at timestamptz
      )`);
    await runner.query(`
      CREATE TABLE sms_inbox (
        sequence bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT sms_inbox_pkey PRIMARY KEY,
        id uuid NOT NULL,
        recipient text NOT NULL,
        body text NOT NULL,
        otp_code text NOT NULL,
        purpose text NOT NULL,
        sent_at timestamptz NOT NULL,
        CONSTRAINT sms_inbox_purpose_check CHECK (purpose IN ('sign_in', 'phone_change'))
      )`);
    await runner.query(`CREATE INDEX sms_inbox_recipient_idx ON sms_inbox (recipient, sequence)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE sms_inbox, signing_keys, sessions, phone_limits, phone_otps, user_profiles, users',
    );
  }
}
