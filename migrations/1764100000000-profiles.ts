import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Pictures, interests (with the twelve of a fresh installation), and who chose which. */
export class Profiles1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE event_interests (
        id uuid CONSTRAINT event_interests_pkey PRIMARY KEY,
        name text NOT NULL,
        name_key text NOT NULL CONSTRAINT event_interests_name_key UNIQUE,
        slug text NOT NULL CONSTRAINT event_interests_slug_key UNIQUE,
        description text NOT NULL,
        is_active boolean NOT NULL DEFAULT true
      )`);
    await runner.query(`
      CREATE TABLE user_event_interests (
        user_id uuid NOT NULL,
        event_interest_id uuid NOT NULL,
        CONSTRAINT user_event_interests_pkey PRIMARY KEY (user_id, event_interest_id),
        CONSTRAINT user_event_interests_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT user_event_interests_event_interest_id_fkey
          FOREIGN KEY (event_interest_id) REFERENCES event_interests (id)
      )`);
    await runner.query(
      'CREATE INDEX user_event_interests_event_interest_id_idx ON user_event_interests (event_interest_id)',
    );
    await runner.query(`
      CREATE TABLE profile_pictures (
        id uuid CONSTRAINT profile_pictures_pkey PRIMARY KEY,
        user_id uuid NOT NULL,
        position smallint NOT NULL,
        storage_key text NOT NULL CONSTRAINT profile_pictures_storage_key_key UNIQUE,
        width integer NOT NULL,
        height integer NOT NULL,
        thumbhash text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT profile_pictures_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT profile_pictures_user_id_position_key UNIQUE (user_id, position) DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT profile_pictures_position_check CHECK (position BETWEEN 0 AND 5),
        CONSTRAINT profile_pictures_size_check CHECK (width > 0 AND height > 0)
      )`);
    for (const [id, name, slug, description] of INTERESTS) {
      await runner.query(
        `INSERT INTO event_interests (id, name, name_key, slug, description) VALUES ($1, $2, lower($2), $3, $4)`,
        [id, name, slug, description],
      );
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE profile_pictures, user_event_interests, event_interests');
  }
}

// The ids are the same on every installation, so that a client may know them.
const INTERESTS: readonly (readonly [id: string, name: string, slug: string, description: string])[] = [
  [
    '0192a000-0000-7000-8000-000000000001',
    'Art & design',
    'art-design',
    'Galleries, openings, craft and drawing sessions',
  ],
  [
    '0192a000-0000-7000-8000-000000000002',
    'Books & writing',
    'books-writing',
    'Readings, book clubs and writing circles',
  ],
  ['0192a000-0000-7000-8000-000000000003', 'Comedy', 'comedy', 'Stand-up, improv and open-mic nights'],
  [
    '0192a000-0000-7000-8000-000000000004',
    'Dance',
    'dance',
    'Socials, classes and performances of every style',
  ],
  [
    '0192a000-0000-7000-8000-000000000005',
    'Film & theatre',
    'film-theatre',
    'Screenings, festivals, plays and musicals',
  ],
  [
    '0192a000-0000-7000-8000-000000000006',
    'Food & drink',
    'food-drink',
    'Tastings, supper clubs, markets and cooking together',
  ],
  [
    '0192a000-0000-7000-8000-000000000007',
    'Games',
    'games',
    'Board games, quizzes, role-playing and video games',
  ],
  [
    '0192a000-0000-7000-8000-000000000008',
    'Live music',
    'live-music',
    'Concerts, gigs, jam sessions and festivals',
  ],
  ['0192a000-0000-7000-8000-000000000009', 'Nightlife', 'nightlife', 'Clubs, parties and late evenings out'],
  [
    '0192a000-0000-7000-8000-00000000000a',
    'Outdoors',
    'outdoors',
    'Hikes, climbing, camping and days on the water',
  ],
  [
    '0192a000-0000-7000-8000-00000000000b',
    'Sports & fitness',
    'sports-fitness',
    'Matches, runs, training together and yoga',
  ],
  [
    '0192a000-0000-7000-8000-00000000000c',
    'Technology',
    'technology',
    'Meetups, talks, hackathons and demos',
  ],
];
