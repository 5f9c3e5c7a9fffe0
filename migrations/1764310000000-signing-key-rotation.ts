import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The private half of a signing key goes when the key retires; replicas are told of each change. */
export class SigningKeyRotation1764310000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE signing_keys
        ALTER COLUMN private_key DROP NOT NULL,
        ADD CONSTRAINT signing_keys_private_key_check CHECK (private_key IS NOT NULL OR retired_at IS NOT NULL)`);
    await runner.query(`
      CREATE FUNCTION signing_keys_tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('latchkey_signing_keys', '');
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER signing_keys_tell_change AFTER INSERT OR UPDATE OR DELETE ON signing_keys
        FOR EACH STATEMENT EXECUTE FUNCTION signing_keys_tell_change()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER signing_keys_tell_change ON signing_keys');
    await runner.query('DROP FUNCTION signing_keys_tell_change()');
    await runner.query('DELETE FROM signing_keys WHERE private_key IS NULL');
    await runner.query(`
      ALTER TABLE signing_keys
        DROP CONSTRAINT signing_keys_private_key_check,
        ALTER COLUMN private_key SET NOT NULL`);
  }
}
