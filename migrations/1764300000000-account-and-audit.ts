import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit log, word of sessions that end, roles, push tokens, and what a phone change needs. */
export class AccountAndAudit1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_log (
        id uuid CONSTRAINT audit_log_pkey PRIMARY KEY,
        at timestamptz NOT NULL,
        actor_id uuid,
        action text NOT NULL,
        object_type text NOT NULL,
        object_id uuid,
        ip text,
        user_agent text,
        request_id text,
        payload jsonb NOT NULL
      )`);
    await runner.query('CREATE INDEX audit_log_actor_id_idx ON audit_log (actor_id, id)');
    await runner.query('CREATE INDEX audit_log_object_id_idx ON audit_log (object_id, id)');
    // Two ways past it, each to be asked for by name within a transaction: addresses of an erased user become null,
    // and the table's owner deletes what is past its time.
    await runner.query(`
      CREATE FUNCTION audit_log_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'UPDATE' AND current_setting('latchkey.audit_erasure', true) = 'on' THEN
          IF NEW.ip IS NULL AND NEW.user_agent IS NULL
             AND to_jsonb(NEW) - 'ip' - 'user_agent' = to_jsonb(OLD) - 'ip' - 'user_agent' THEN
            RETURN NEW;
          END IF;
        END IF;
        IF TG_OP = 'DELETE' AND current_setting('latchkey.audit_retention', true) = 'on'
           AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
          RETURN OLD;
        END IF;
        RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$`);
    await runner.query(`
      CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
        FOR EACH ROW EXECUTE FUNCTION audit_log_refuse_change()`);
    await runner.query(`
      CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse_change()`);

    // Whoever ends a session or takes a role, this way or that, the replicas that know of it are told.
    await runner.query(`
      CREATE FUNCTION sessions_tell_end() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('latchkey_sessions', 'session ' || OLD.id);
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER sessions_tell_revocation AFTER UPDATE OF revoked_at ON sessions
        FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
        EXECUTE FUNCTION sessions_tell_end()`);
    await runner.query(`
      CREATE TRIGGER sessions_tell_deletion AFTER DELETE ON sessions
        FOR EACH ROW WHEN (OLD.revoked_at IS NULL) EXECUTE FUNCTION sessions_tell_end()`);
    await runner.query(`
      CREATE FUNCTION users_tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('latchkey_sessions', 'user ' || NEW.id);
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER users_tell_change AFTER UPDATE OF status, roles ON users
        FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.roles <> NEW.roles)
        EXECUTE FUNCTION users_tell_change()`);

    await runner.query(`CREATE INDEX users_admins_idx ON users (id) WHERE 'admin' = ANY (roles)`);
    await runner.query(`
      ALTER TABLE users ADD COLUMN phone_changes_asked_at timestamptz[] NOT NULL DEFAULT '{}'`);
    await runner.query(`
      ALTER TABLE sessions
        ADD COLUMN push_platform text,
        ADD COLUMN push_token text,
        ADD CONSTRAINT sessions_push_check CHECK ((push_platform IS NULL) = (push_token IS NULL)),
        ADD CONSTRAINT sessions_push_platform_check CHECK (push_platform IN ('ios', 'android', 'web'))`);
    await runner.query(`
      CREATE INDEX sessions_push_token_idx ON sessions USING hash (push_token) WHERE push_token IS NOT NULL`);
    await runner.query('CREATE INDEX sessions_ended_idx ON sessions (LEAST(expires_at, revoked_at))');
    await runner.query(`
      CREATE INDEX phone_otps_user_id_idx ON phone_otps (user_id) WHERE user_id IS NOT NULL`);
    await runner.query(`
      ALTER TABLE sms_inbox
        ALTER COLUMN otp_code DROP NOT NULL,
        DROP CONSTRAINT sms_inbox_purpose_check,
        ADD CONSTRAINT sms_inbox_purpose_check CHECK (
          purpose IN ('sign_in', 'phone_change', 'phone_change_notice')
        ),
        ADD CONSTRAINT sms_inbox_otp_code_check CHECK (
          (otp_code IS NULL) = (purpose = 'phone_change_notice')
        )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM sms_inbox WHERE otp_code IS NULL`);
    await runner.query(`
      ALTER TABLE sms_inbox
        DROP CONSTRAINT sms_inbox_otp_code_check,
        DROP CONSTRAINT sms_inbox_purpose_check,
        ADD CONSTRAINT sms_inbox_purpose_check CHECK (purpose IN ('sign_in', 'phone_change')),
        ALTER COLUMN otp_code SET NOT NULL`);
    await runner.query(
      'DROP INDEX phone_otps_user_id_idx, sessions_ended_idx, sessions_push_token_idx, users_admins_idx',
    );
    await runner.query('ALTER TABLE sessions DROP COLUMN push_platform, DROP COLUMN push_token');
    await runner.query('ALTER TABLE users DROP COLUMN phone_changes_asked_at');
    await runner.query('DROP TRIGGER users_tell_change ON users');
    await runner.query('DROP TRIGGER sessions_tell_revocation ON sessions');
    await runner.query('DROP TRIGGER sessions_tell_deletion ON sessions');
    await runner.query('DROP TABLE audit_log');
    await runner.query('DROP FUNCTION users_tell_change(), sessions_tell_end(), audit_log_refuse_change()');
  }
}
