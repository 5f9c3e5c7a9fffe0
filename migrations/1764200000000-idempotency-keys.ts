import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows that a request made carry the HMAC of its Idempotency-Key. */
export class IdempotencyKeys1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE phone_otps
        ADD COLUMN request_key_hash bytea,
        ADD COLUMN request_hash bytea,
        ADD COLUMN verify_key_hash bytea,
        ADD COLUMN session_id uuid,
        ADD CONSTRAINT phone_otps_request_check CHECK ((request_key_hash IS NULL) = (request_hash IS NULL)),
        ADD CONSTRAINT phone_otps_verify_check CHECK (verify_key_hash IS NULL OR session_id IS NOT NULL)`);
    await runner.query(`
      CREATE INDEX phone_otps_request_key_hash_idx ON phone_otps (request_key_hash)
        WHERE request_key_hash IS NOT NULL`);
    await runner.query('ALTER TABLE sessions ADD COLUMN refresh_key_hash bytea');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sessions DROP COLUMN refresh_key_hash');
    await runner.query(`
      ALTER TABLE phone_otps
        DROP COLUMN request_key_hash,
        DROP COLUMN request_hash,
        DROP COLUMN verify_key_hash,
        DROP COLUMN session_id`);
  }
}
