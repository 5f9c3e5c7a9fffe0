import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The slugs that interests have and had, each reserved for ever; and word of changed interests to all replicas. */
export class InterestSlugs1764420000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE event_interest_slugs (
        slug text CONSTRAINT event_interest_slugs_pkey PRIMARY KEY,
        event_interest_id uuid NOT NULL,
        CONSTRAINT event_interest_slugs_event_interest_id_fkey
          FOREIGN KEY (event_interest_id) REFERENCES event_interests (id) ON DELETE CASCADE
      )`);
    await runner.query(`
      CREATE INDEX event_interest_slugs_event_interest_id_idx ON event_interest_slugs (event_interest_id)`);
    // Whoever gives a slug, this way or that, it is reserved: the primary key refuses one of another interest. The row
    // of the interest is locked by then, so nobody else can be about to reserve the same slug for the same one.
    await runner.query(`
      CREATE FUNCTION event_interests_reserve_slug() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO event_interest_slugs (slug, event_interest_id)
        SELECT NEW.slug, NEW.id
        WHERE NOT EXISTS (
          SELECT FROM event_interest_slugs WHERE slug = NEW.slug AND event_interest_id = NEW.id
        );
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER event_interests_reserve_slug AFTER INSERT OR UPDATE OF slug ON event_interests
        FOR EACH ROW EXECUTE FUNCTION event_interests_reserve_slug()`);
    await runner.query(`
      INSERT INTO event_interest_slugs (slug, event_interest_id) SELECT slug, id FROM event_interests`);
    // Not valid: slugs that were written by hand before this was a rule may stay.
    await runner.query(`
      ALTER TABLE event_interest_slugs ADD CONSTRAINT event_interest_slugs_slug_check CHECK (
        slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 64
        AND slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      ) NOT VALID`);

    // Whoever changes the list, the replicas that keep it are told.
    await runner.query(`
      CREATE FUNCTION event_interests_tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('latchkey_interests', '');
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER event_interests_tell_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON event_interests
        FOR EACH STATEMENT EXECUTE FUNCTION event_interests_tell_change()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER event_interests_tell_change ON event_interests');
    await runner.query('DROP TRIGGER event_interests_reserve_slug ON event_interests');
    await runner.query('DROP FUNCTION event_interests_tell_change(), event_interests_reserve_slug()');
    await runner.query('DROP TABLE event_interest_slugs');
  }
}
