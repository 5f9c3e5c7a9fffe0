import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When users uploaded pictures, so that they can be limited over all replicas. */
export class UploadBudgets1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE users ADD COLUMN uploads_at timestamptz[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users DROP COLUMN uploads_at');
  }
}
