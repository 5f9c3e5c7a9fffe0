import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the budgets, the lengths of codes and the breakers are counted by. Nothing here names a number or an address. */
export class AbusePolicy1764510000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The wait is now reckoned from what was sent. The previous version, which may still run, goes on by this column.
    await runner.query(`
      ALTER TABLE phone_limits
        ALTER COLUMN next_send_at SET DEFAULT '-infinity',
        ADD COLUMN version integer NOT NULL DEFAULT 0,
        ADD COLUMN signed_in_at timestamptz,
        ADD COLUMN refused_code text,
        ADD COLUMN refused_until timestamptz,
        ADD COLUMN keep_until timestamptz NOT NULL DEFAULT '-infinity',
        ADD CONSTRAINT phone_limits_refused_check CHECK (
          (refused_code IS NULL) = (refused_until IS NULL)
          AND refused_code IN ('phone_number_unreachable', 'phone_number_unsupported')
        )`);
    await runner.query('CREATE INDEX phone_limits_keep_until_idx ON phone_limits (keep_until)');

    await runner.query(`
      CREATE TABLE phone_sends (
        id uuid CONSTRAINT phone_sends_pkey PRIMARY KEY,
        phone_key bytea NOT NULL,
        sent_at timestamptz NOT NULL,
        device_key text,
        address_key text NOT NULL,
        network_key text NOT NULL,
        country text NOT NULL,
        prefix text NOT NULL,
        is_new boolean NOT NULL,
        code_length smallint NOT NULL,
        resend_seconds integer NOT NULL DEFAULT 0,
        decision jsonb NOT NULL,
        trickle_of text,
        verified_at timestamptz,
        verified_from text,
        is_settled boolean NOT NULL DEFAULT false,
        is_forgiven boolean NOT NULL DEFAULT false,
        CONSTRAINT phone_sends_verified_check CHECK ((verified_at IS NULL) = (verified_from IS NULL))
      )`);
    await runner.query('CREATE INDEX phone_sends_phone_key_idx ON phone_sends (phone_key, sent_at)');
    await runner.query(`
      CREATE INDEX phone_sends_trickle_of_idx ON phone_sends (trickle_of, sent_at) WHERE trickle_of IS NOT NULL`);

    await runner.query(`
      CREATE TABLE phone_failures (
        id uuid CONSTRAINT phone_failures_pkey PRIMARY KEY,
        phone_key bytea NOT NULL,
        failed_at timestamptz NOT NULL,
        device_key text,
        address_key text NOT NULL,
        network_key text NOT NULL,
        country text NOT NULL,
        code_length smallint NOT NULL,
        is_forgiven boolean NOT NULL DEFAULT false
      )`);
    await runner.query('CREATE INDEX phone_failures_phone_key_idx ON phone_failures (phone_key, failed_at)');

    // Counters are updated far more often than they are made: the room lets that happen within the page.
    await runner.query(`
      CREATE TABLE send_counters (
        scope text NOT NULL,
        key text NOT NULL,
        span smallint NOT NULL,
        starts_at timestamptz NOT NULL,
        country text NOT NULL,
        sends integer NOT NULL DEFAULT 0,
        verified integer NOT NULL DEFAULT 0,
        new_sends integer NOT NULL DEFAULT 0,
        new_verified integer NOT NULL DEFAULT 0,
        failures integer NOT NULL DEFAULT 0,
        sign_ins integer NOT NULL DEFAULT 0,
        refused integer NOT NULL DEFAULT 0,
        delivered integer NOT NULL DEFAULT 0,
        undelivered integer NOT NULL DEFAULT 0,
        CONSTRAINT send_counters_pkey PRIMARY KEY (scope, key, span, starts_at, country),
        CONSTRAINT send_counters_scope_check CHECK (scope IN ('address', 'network', 'prefix', 'country', 'service')),
        CONSTRAINT send_counters_span_check CHECK (span IN (1, 60))
      ) WITH (fillfactor = 70)`);
    await runner.query('CREATE INDEX send_counters_starts_at_idx ON send_counters (span, starts_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE send_counters');
    await runner.query('DROP TABLE phone_failures');
    await runner.query('DROP TABLE phone_sends');
    await runner.query('DROP INDEX phone_limits_keep_until_idx');
    await runner.query(`
      ALTER TABLE phone_limits
        DROP CONSTRAINT phone_limits_refused_check,
        DROP COLUMN keep_until,
        DROP COLUMN refused_until,
        DROP COLUMN refused_code,
        DROP COLUMN signed_in_at,
        DROP COLUMN version,
        ALTER COLUMN next_send_at DROP DEFAULT`);
  }
}
