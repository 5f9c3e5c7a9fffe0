import { randomUUID } from 'node:crypto';

import { anAdministrator } from './helpers/administrator.js';
import { type Answer, harness, type SignedInUser, TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { aName, anInterest as addedInterest, changeInterest } from './helpers/interests.js';
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

const anInterest = (): Promise<Interest> => addedInterest(app, admin);
const change = (id: string, body: Record<string, unknown>): Promise<Answer> =>
  changeInterest(app, admin, id, body);
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
    const name = aName();
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
    const name = aName();
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
