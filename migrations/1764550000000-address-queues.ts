import type { MigrationInterface, QueryRunner } from 'typeorm';

const COUNTS = [
  'sends',
  'verified',
  'new_sends',
  'new_verified',
  'failures',
  'sign_ins',
  'refused',
  'delivered',
  'undelivered',
];

/** The order in which an address and a number are sent codes; and counters that sends do not wait for each other at. */
export class AddressQueues1764550000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The previous version, which may still run, goes on by `version`.
    await runner.query('ALTER TABLE phone_limits ADD COLUMN last_send_id uuid');

    // Both are busy, and nothing in them is worth much for long.
    await runner.query(`
      CREATE TABLE address_limits (
        scope text NOT NULL,
        key text NOT NULL,
        turn bigint NOT NULL,
        keep_until timestamptz NOT NULL,
        CONSTRAINT address_limits_pkey PRIMARY KEY (scope, key),
        CONSTRAINT address_limits_scope_check CHECK (scope IN ('address', 'network'))
      ) WITH (fillfactor = 70)`);
    await runner.query('CREATE INDEX address_limits_keep_until_idx ON address_limits (keep_until)');
    await runner.query(`
      CREATE TABLE address_waits (
        scope text NOT NULL,
        key text NOT NULL,
        phone_key bytea NOT NULL,
        since timestamptz NOT NULL,
        has_returned boolean NOT NULL DEFAULT false,
        expected_until timestamptz NOT NULL,
        CONSTRAINT address_waits_pkey PRIMARY KEY (scope, key, phone_key),
        CONSTRAINT address_waits_scope_check CHECK (scope IN ('address', 'network'))
      )`);
    await runner.query(`
      CREATE INDEX address_waits_queue_idx ON address_waits (scope, key, expected_until) WHERE has_returned`);
    await runner.query('CREATE INDEX address_waits_expected_until_idx ON address_waits (expected_until)');

    await runner.query(`
      ALTER TABLE send_counters
        ADD COLUMN slot smallint NOT NULL DEFAULT 0,
        DROP CONSTRAINT send_counters_pkey,
        ADD CONSTRAINT send_counters_pkey PRIMARY KEY (scope, key, span, starts_at, country, slot)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    // What the slots of a counter hold becomes one row of it.
    const sums = COUNTS.map((count) => `sum(${count})`).join(', ');
    const added = COUNTS.map((count) => `${count} = c.${count} + excluded.${count}`).join(', ');
    await runner.query(`
      WITH slots AS (DELETE FROM send_counters WHERE slot <> 0 RETURNING *)
      INSERT INTO send_counters AS c (scope, key, span, starts_at, country, ${COUNTS.join(', ')})
      SELECT scope, key, span, starts_at, country, ${sums} FROM slots GROUP BY scope, key, span, starts_at, country
      ON CONFLICT ON CONSTRAINT send_counters_pkey DO UPDATE SET ${added}`);
    await runner.query(`
      ALTER TABLE send_counters
        DROP CONSTRAINT send_counters_pkey,
        ADD CONSTRAINT send_counters_pkey PRIMARY KEY (scope, key, span, starts_at, country),
        DROP COLUMN slot`);
    await runner.query('DROP TABLE address_waits');
    await runner.query('DROP TABLE address_limits');
    await runner.query('ALTER TABLE phone_limits DROP COLUMN last_send_id');
  }
}
