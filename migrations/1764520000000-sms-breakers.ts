import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Breakers of texts that nobody enters the codes of, and what the overview of them reads. */
export class SmsBreakers1764520000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sms_breakers (
        scope text CONSTRAINT sms_breakers_pkey PRIMARY KEY,
        mode text NOT NULL DEFAULT 'auto',
        opened_at timestamptz,
        open_until timestamptz,
        trips smallint NOT NULL DEFAULT 0,
        reason jsonb,
        trickled_at timestamptz,
        counts_from timestamptz,
        alarmed_at timestamptz,
        changed_at timestamptz NOT NULL,
        CONSTRAINT sms_breakers_mode_check CHECK (mode IN ('auto', 'open', 'closed')),
        CONSTRAINT sms_breakers_open_check CHECK (
          CASE mode WHEN 'auto' THEN (opened_at IS NULL) = (open_until IS NULL)
          ELSE open_until IS NULL AND (opened_at IS NULL) = (mode = 'closed') END
        ),
        CONSTRAINT sms_breakers_reason_check CHECK (opened_at IS NULL OR reason IS NOT NULL)
      )`);
    await runner.query('CREATE INDEX sms_breakers_changed_at_idx ON sms_breakers (changed_at)');
    await runner.query(`
      CREATE INDEX sms_breakers_in_force_idx ON sms_breakers (changed_at)
      WHERE opened_at IS NOT NULL OR mode <> 'auto'`);
    // None of its columns ever changes in a row, so that counting stays within the page.
    await runner.query(`
      CREATE INDEX send_counters_places_idx ON send_counters (scope, starts_at)
      WHERE span = 60 AND scope IN ('country', 'prefix')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX send_counters_places_idx');
    await runner.query('DROP TABLE sms_breakers');
  }
}
