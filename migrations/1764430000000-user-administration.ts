import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why users are suspended, and what administrators find users and audit entries by. */
export class UserAdministration1764430000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE users
        ADD COLUMN suspended_at timestamptz,
        ADD COLUMN suspended_by uuid,
        ADD COLUMN suspension_reason text,
        ADD CONSTRAINT users_suspension_check CHECK (
          (suspended_at IS NULL) = (suspension_reason IS NULL)
          AND (suspended_at IS NULL OR status = 'suspended')
          AND (suspended_by IS NULL OR suspended_at IS NOT NULL)
        )`);
    await runner.query(`
      CREATE INDEX users_not_active_idx ON users (status, id) WHERE status <> 'active'`);

    // As near to the app's own nameKeyOf as SQL gets: for the names that are there, and for those that the previous
    // version still writes while this one comes up.
    await runner.query(`
      CREATE FUNCTION user_profiles_name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT translate(
          lower(regexp_replace(
            normalize(name, NFKD),
            '[\\u0300-\\u036f\\u064b-\\u0655\\u0670\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u200c\\u200d\\u20d0-\\u20ff\\u3099\\u309a\\ufe20-\\ufe2f]',
            '', 'g'
          )),
          'ς', 'σ'
        )
      $$`);
    await runner.query('ALTER TABLE user_profiles ADD COLUMN name_key text COLLATE "C"');
    await runner.query(`
      UPDATE user_profiles SET name_key = user_profiles_name_key(name) WHERE name IS NOT NULL`);
    await runner.query(`
      CREATE FUNCTION user_profiles_keep_name_key() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.name_key := user_profiles_name_key(NEW.name);
        RETURN NEW;
      END $$`);
    await runner.query(`
      CREATE TRIGGER user_profiles_keep_name_key BEFORE UPDATE OF name ON user_profiles
        FOR EACH ROW
        WHEN (NEW.name IS DISTINCT FROM OLD.name AND NEW.name_key IS NOT DISTINCT FROM OLD.name_key)
        EXECUTE FUNCTION user_profiles_keep_name_key()`);
    await runner.query(`
      CREATE INDEX user_profiles_name_key_idx ON user_profiles (name_key, user_id) WHERE name_key IS NOT NULL`);

    await runner.query('CREATE INDEX audit_log_action_idx ON audit_log (action, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX audit_log_action_idx');
    await runner.query('DROP TRIGGER user_profiles_keep_name_key ON user_profiles');
    await runner.query('ALTER TABLE user_profiles DROP COLUMN name_key');
    await runner.query('DROP FUNCTION user_profiles_keep_name_key(), user_profiles_name_key(text)');
    await runner.query('DROP INDEX users_not_active_idx');
    await runner.query(`
      ALTER TABLE users
        DROP COLUMN suspended_at,
        DROP COLUMN suspended_by,
        DROP COLUMN suspension_reason`);
  }
}
