import { anAdministrator } from './helpers/administrator.js';
import { type Answer, atOnce, problem, type SignedInUser, TestApp } from './helpers/app.js';
import { anInterest as addedInterest, changeInterest } from './helpers/interests.js';
import { aCompleteUser, aProfile, aUserWithPicture, patch } from './helpers/profile.js';
import { until } from './helpers/eventually.js';

let app: TestApp;
let other: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  other = await app.replica();
  admin = await anAdministrator(app);
});

interface Interest {
  id: string;
  name: string;
  slug: string;
}

const anInterest = (): Promise<Interest> => addedInterest(app, admin);
const change = (id: string, body: Record<string, unknown>, on = app): Promise<Answer> =>
  changeInterest(on, admin, id, body);

describe('an inactive interest', () => {
  it('stays on the profiles that have it, until they choose anew', async () => {
    const interest = await anInterest();
    const chosen = ['games', interest.slug];
    const user = await aCompleteUser(app, { event_interests: chosen });
    await change(interest.id, { is_active: false });
    const slugs = async () => {
      const { body } = await app.get('/api/auth/profile', user.bearer);
      return body.event_interests.map(({ slug }: Interest) => slug).sort();
    };
    expect(await slugs()).toEqual([...chosen].sort());
    expect((await patch(app, user, { bio: 'Plays.' })).status).toBe(200);
    expect(await slugs()).toEqual([...chosen].sort());
    const refused = await patch(app, user, { event_interests: [...chosen, 'comedy'] });
    const message = `event_interests.1 is no longer active: ${interest.name}`;
    expect(refused.body).toEqual(
      problem('validation_failed', {
        errors: [{ field: 'event_interests.1', code: 'not_allowed', message }],
      }),
    );
    expect((await patch(app, user, { event_interests: ['games', 'comedy'] })).status).toBe(200);
    expect(await slugs()).toEqual(['comedy', 'games']);
  });

  it('is one with all its slugs: chosen by two of them, it is there twice', async () => {
    const interest = await anInterest();
    await change(interest.id, { slug: `new-${interest.slug}` });
    const user = await aCompleteUser(app);
    const names = [interest.slug, `new-${interest.slug}`, interest.id];
    const { body } = await patch(app, user, { event_interests: names });
    expect(body.errors).toMatchObject([
      { field: 'event_interests.1', code: 'duplicate' },
      { field: 'event_interests.2', code: 'duplicate' },
    ]);
  });
});

describe('choosing an interest while it is made inactive', () => {
  const waiting = async (): Promise<number> => {
    const [row] = await app.sql<{ count: number }>(
      `SELECT count(*)::integer AS count FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'latchkey' AND wait_event_type = 'Lock'`,
    );
    return row?.count ?? 0;
  };
  const isRefused = ({ body }: Answer) => expect(body).toMatchObject({ code: 'validation_failed' });

  const WAYS: [
    way: string,
    make: (app: TestApp) => Promise<SignedInUser>,
    choose: (user: SignedInUser, slug: string) => Promise<Answer>,
  ][] = [
    [
      'a completion',
      aUserWithPicture,
      (user, slug) =>
        app.post('/api/auth/complete-profile', aProfile({ event_interests: [slug] }), user.bearer),
    ],
    ['a change', aCompleteUser, (user, slug) => patch(app, user, { event_interests: [slug] })],
  ];

  it.each(WAYS)('%s that has begun to choose is waited for', async (_way, make, choose) => {
    const { id, slug } = await anInterest();
    const user = await make(app);
    const { choice, made, deactivation } = await app.started.transaction(async (transaction) => {
      // It can resolve what it is to choose, and not write it down.
      await transaction.query('LOCK TABLE user_event_interests IN SHARE ROW EXCLUSIVE MODE');
      const choice = choose(user, slug);
      await until(async () => (await waiting()) === 1);
      let made = false;
      const deactivation = change(id, { is_active: false }).finally(() => (made = true));
      await until(async () => made || (await waiting()) === 2);
      return { choice, made, deactivation };
    });
    expect(made).toBe(false);
    expect([(await choice).status, (await deactivation).status]).toEqual([200, 200]);
  });

  it('a completion that waits its turn is refused where it has been made inactive meanwhile', async () => {
    const { id, slug } = await anInterest();
    const user = await aUserWithPicture(app);
    const { completion } = await app.started.transaction(async (transaction) => {
      await transaction.query('SELECT FROM user_profiles WHERE user_id = $1 FOR UPDATE', [user.id]);
      const body = aProfile({ event_interests: [slug] });
      const completion = app.post('/api/auth/complete-profile', body, user.bearer);
      await until(async () => (await waiting()) === 1);
      expect((await change(id, { is_active: false })).status).toBe(200);
      return { completion };
    });
    isRefused(await completion);
  });

  it('is done by none of thirty once that is committed, on two replicas', async () => {
    // At the end of each transaction that chose, its statement sees all that is committed by then.
    await app.sql('CREATE TABLE late_choices (event_interest_id uuid)');
    await app.sql(`
      CREATE FUNCTION tell_late_choice() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO late_choices SELECT id FROM event_interests WHERE id = NEW.event_interest_id AND NOT is_active;
        RETURN NULL;
      END $$`);
    await app.sql(`
      CREATE CONSTRAINT TRIGGER tell_late_choice AFTER INSERT ON user_event_interests
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell_late_choice()`);
    // Its own connections, as those of the others are all in use.
    const third = await app.replica();
    const seen = new Set<number>();
    // Until some came before it and some after it.
    for (let round = 0; round < 5 || seen.size < 2; round += 1) {
      const { id, slug } = await anInterest();
      const users = await atOnce(30, () => aUserWithPicture(app));
      const body = aProfile({ event_interests: [slug] });
      const completions = users.map(({ bearer }, index) =>
        (index % 2 ? app : other).post('/api/auth/complete-profile', body, bearer),
      );
      await Promise.race(completions);
      expect((await change(id, { is_active: false }, third)).status).toBe(200);
      const answers = await Promise.all(completions);
      for (const { status } of answers) seen.add(status);
      answers.filter(({ status }) => status !== 200).forEach(isRefused);
    }
    expect(await app.sql('SELECT FROM late_choices')).toEqual([]);
  });
});
