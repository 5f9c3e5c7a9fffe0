import { randomUUID } from 'node:crypto';

import { anAdministrator } from './helpers/administrator.js';
import { type Answer, atOnce, harness, problem, type SignedInUser, TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { aCompleteUser, aProfile, aUserWithPicture, patch } from './helpers/profile.js';
import { until } from './helpers/until.js';
import { Wire } from './helpers/wire.js';

const LIST = '/api/auth/event-interests';

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

async function anInterest(): Promise<Interest> {
  const body = { name: `Go ${randomUUID()}`, description: 'Black and white stones' };
  return (await app.post('/api/admin/event-interests', body, admin.bearer)).body;
}

const change = (id: string, body: Record<string, unknown>, on = app): Promise<Answer> =>
  on.request('PATCH', `/api/admin/event-interests/${id}`, { body, headers: admin.bearer });
const isListed = async (name: string, on: TestApp): Promise<boolean> => {
  const { body } = await on.get(LIST);
  return body.items.some((item: Interest) => item.name === name);
};
const listed = (name: string, on: TestApp, is = true) =>
  eventually(
    () => isListed(name, on),
    (seen) => seen === is,
  );
const askedFor = async (on: TestApp): Promise<boolean> => {
  const statements = await harness.statements(() => on.get(LIST));
  return statements.includes('interests_list_active');
};
/** Until the replica knows the list. */
const known = (on: TestApp) =>
  eventually(
    () => askedFor(on),
    (isAsked) => !isAsked,
  );
const addByStatement = (name: string) =>
  app.sql(
    `INSERT INTO event_interests (id, name, name_key, slug, description) VALUES ($1, $2, lower($2), $3, '')`,
    [randomUUID(), name, name.toLowerCase().replaceAll(' ', '-')],
  );

describe('GET /api/auth/event-interests', () => {
  it('costs no statement once it is known, not with its tag either', async () => {
    await known(app);
    const statements = await harness.statements(async () => {
      const { headers } = await app.get(LIST);
      const again = await app.get(LIST, { 'if-none-match': headers.get('etag') ?? '' });
      expect(again.status).toBe(304);
    });
    expect(statements).toEqual([]);
  });

  it('shows every change at once on the replica that made it, and soon on the others', async () => {
    for (let round = 0; round < 5; round += 1) {
      for (const replica of [app, other]) await known(replica);
      const { id, name } = await anInterest();
      expect(await isListed(name, app)).toBe(true);
      await listed(name, other);
      await change(id, { name: `Igo ${name}` });
      expect(await isListed(`Igo ${name}`, app)).toBe(true);
      await listed(`Igo ${name}`, other);
      await change(id, { is_active: false });
      expect(await isListed(`Igo ${name}`, app)).toBe(false);
      await listed(`Igo ${name}`, other, false);
    }
  });

  it('has a new tag after each change, on every replica the same', async () => {
    const tagOn = async (on: TestApp) => (await on.get(LIST)).headers.get('etag');
    const before = await tagOn(app);
    await anInterest();
    const after = await tagOn(app);
    expect(after).not.toBe(before);
    await eventually(
      () => tagOn(other),
      (tag) => tag === after,
    );
  });

  it.each<[how: string, byStatement: (name: string) => Promise<unknown>, is: boolean]>([
    ['an INSERT', addByStatement, true],
    [
      'an UPDATE',
      async (name) => {
        const { id } = await anInterest();
        for (const replica of [app, other]) await known(replica);
        await app.sql('UPDATE event_interests SET name = $2, name_key = lower($2) WHERE id = $1', [id, name]);
      },
      true,
    ],
    [
      'a DELETE',
      async (name) => {
        await addByStatement(name);
        for (const replica of [app, other]) await listed(name, replica);
        await app.sql('DELETE FROM event_interests WHERE name = $1', [name]);
      },
      false,
    ],
  ])('shows what %s has changed, whoever sent it', async (_how, byStatement, is) => {
    for (const replica of [app, other]) await known(replica);
    const name = `Go ${randomUUID()}`;
    await byStatement(name);
    for (const replica of [app, other]) await listed(name, replica, is);
  });

  it('shows nothing of a change that was rolled back', async () => {
    await known(app);
    const undone = new Error('undone');
    const work = app.started.transaction(async (transaction) => {
      await transaction.query('UPDATE event_interests SET is_active = false');
      throw undone;
    });
    await expect(work).rejects.toBe(undone);
    expect(await askedFor(app)).toBe(false);
  });
});

describe('a replica that may have missed a change of the list', () => {
  it('asks the database, and forgets what it knew', async () => {
    const wire = await Wire.to(app.started.database);
    const behind = await TestApp.start({ database: wire.url, clock: app.clock });
    await known(behind);
    wire.hang('latchkey notifications');
    const name = `Go ${randomUUID()}`;
    await addByStatement(name);
    await listed(name, behind);
    expect(await askedFor(behind)).toBe(true);
    await wire.mend();
    await known(behind);
    expect(await isListed(name, behind)).toBe(true);
    await behind.started.close();
    await wire.cut();
  });

  it('does not take in an answer that is older than the last change that was heard of', async () => {
    const active = await other.started.provider<{
      moment(): number;
      find(): unknown;
      remember(interests: object[], asked: number): void;
      forget(): void;
    }>('interests/active-interests.js', 'ActiveInterests');
    const asked = active.moment();
    active.forget();
    active.remember([], asked);
    expect(active.find()).toBeUndefined();
    active.remember([], active.moment());
    expect(active.find()).toEqual([]);
    active.forget();
  });
});

describe('the list for other modules', () => {
  interface InterestsService {
    listActive(transaction?: unknown): Promise<readonly Interest[]>;
    resolve(names: string[], transaction?: unknown): Promise<(Interest | undefined)[]>;
  }
  const service = () =>
    app.started.provider<InterestsService>('interests/interests.service.js', 'InterestsService');

  it('sees in a transaction what that has done so far', async () => {
    const interests = await service();
    const { id } = await anInterest();
    const has = async (transaction?: unknown) =>
      (await interests.listActive(transaction)).some((interest) => interest.id === id);
    expect(await has()).toBe(true);
    await app.started.transaction(async (transaction) => {
      await transaction.query('UPDATE event_interests SET is_active = false WHERE id = $1', [id]);
      expect(await has(transaction)).toBe(false);
      expect(await has()).toBe(true);
    });
    await eventually(has, (seen) => !seen);
  });

  it('can be changed by none of them', async () => {
    const list = (await (await service()).listActive()) as Interest[];
    expect(() => list.push(list[0]!)).toThrow(/not extensible/);
    expect(() => (list[0]!.name = 'Chess')).toThrow(/read only/);
  });

  it('resolves ids, slugs and former slugs in the order asked, by their keys', async () => {
    const [ours, theirs] = [await anInterest(), await anInterest()];
    await change(ours.id, { slug: `new-${ours.slug}` });
    await change(theirs.id, { is_active: false });
    const interests = await service();
    const names = ['chess-boxing', ours.slug, theirs.id, `NEW-${ours.slug}`, ours.id.toUpperCase(), "'"];
    const found = await interests.resolve(names);
    expect(found.map((interest) => interest?.id)).toEqual([
      undefined,
      ours.id,
      undefined,
      ours.id,
      ours.id,
      undefined,
    ]);
  });
});

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
    const completion = await app.started.transaction(async (transaction) => {
      await transaction.query('SELECT FROM user_profiles WHERE user_id = $1 FOR UPDATE', [user.id]);
      const body = aProfile({ event_interests: [slug] });
      const completion = app.post('/api/auth/complete-profile', body, user.bearer);
      await until(async () => (await waiting()) === 1);
      expect((await change(id, { is_active: false })).status).toBe(200);
      return { completion };
    });
    isRefused(await completion.completion);
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
