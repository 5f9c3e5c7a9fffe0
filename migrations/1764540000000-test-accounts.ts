import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which accounts were made by the fixed code of a test number. */
export class TestAccounts1764540000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE users
        ADD COLUMN is_test boolean NOT NULL DEFAULT false,
        ADD CONSTRAINT users_test_check CHECK (NOT is_test OR cardinality(roles) = 0)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users DROP COLUMN is_test');
  }
}
