import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The private half of a signing key goes when the key retires. */
export class SigningKeyRotation1764310000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE signing_keys
        ALTER COLUMN private_key DROP NOT NULL,
        ADD CONSTRAINT signing_keys_private_key_check CHECK (private_key IS NOT NULL OR retired_at IS NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM signing_keys WHERE private_key IS NULL');
    await runner.query(`
      ALTER TABLE signing_keys
        DROP CONSTRAINT signing_keys_private_key_check,
        ALTER COLUMN private_key SET NOT NULL`);
  }
}
