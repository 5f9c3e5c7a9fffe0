import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the provider reports of the text that carried a code. */
export class DeliveryReceipts1764530000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE phone_otps
        ADD COLUMN message_sid text,
        ADD COLUMN delivery_status text,
        ADD COLUMN delivery_error integer,
        ADD COLUMN delivered_at timestamptz,
        ADD CONSTRAINT phone_otps_delivery_status_check CHECK (
          delivery_status IN ('queued', 'accepted', 'sending', 'sent', 'delivered', 'undelivered', 'failed')
        )`);
    await runner.query(`
      CREATE UNIQUE INDEX phone_otps_message_sid_idx ON phone_otps (message_sid) WHERE message_sid IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX phone_otps_message_sid_idx');
    await runner.query(`
      ALTER TABLE phone_otps
        DROP CONSTRAINT phone_otps_delivery_status_check,
        DROP COLUMN delivered_at,
        DROP COLUMN delivery_error,
        DROP COLUMN delivery_status,
        DROP COLUMN message_sid`);
  }
}
