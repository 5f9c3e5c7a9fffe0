import { randomUUID } from 'node:crypto';

import { anAdministrator } from './helpers/administrator.js';
import {
  type Answer,
  atOnce,
  expectProblem,
  harness,
  type SignedInUser,
  tally,
  TestApp,
} from './helpers/app.js';
import { addInterest, aName, anInterest as addedInterest, changeInterest } from './helpers/interests.js';
import { aProfile, aUserWithPicture } from './helpers/profile.js';

const INTERESTS = '/api/admin/event-interests';
const NOBODY = '01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07';

let app: TestApp;
let other: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  other = await app.replica();
  admin = await anAdministrator(app);
});

const add = (more?: Record<string, unknown>, on = app): Promise<Answer> => addInterest(on, admin, more);
const anInterest = (more?: Record<string, unknown>): Promise<Answer['body']> =>
  addedInterest(app, admin, more);
const change = (id: string, body: Record<string, unknown>, on = app): Promise<Answer> =>
  changeInterest(on, admin, id, body);
const slugsOf = (answers: readonly Answer[]): string[] => answers.map(({ body }) => body.slug);

/** Every interest, page by page. */
async function all(limit: number): Promise<Answer['body'][]> {
  const items: Answer['body'][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body }: Answer = await app.get(
      `${INTERESTS}?limit=${limit}${cursor && `&cursor=${cursor}`}`,
      admin.bearer,
    );
    expect(body.items.length).toBeLessThanOrEqual(limit);
    items.push(...body.items);
    cursor = body.next_cursor;
  }
  return items;
}

const auditOf = (id: string) =>
  app.sql(
    `SELECT actor_id, action, object_type, ip, user_agent, request_id, payload FROM audit_log
     WHERE object_id = $1 ORDER BY id`,
    [id],
  );

/** The id that a name of an interest leads a user to. */
async function chosenBy(name: string): Promise<string> {
  const user = await aUserWithPicture(app);
  const { body } = await app.post(
    '/api/auth/complete-profile',
    aProfile({ event_interests: [name] }),
    user.bearer,
  );
  return body.event_interests?.[0].id;
}

describe('every route of interests', () => {
  it.each([
    ['GET', INTERESTS],
    ['POST', INTERESTS],
    ['PATCH', `${INTERESTS}/${NOBODY}`],
  ])('%s %s is for administrators alone', async (method, path) => {
    const { bearer } = await app.signIn();
    const body = method === 'GET' ? undefined : {};
    const refused = await app.request(method, path, { body, headers: bearer });
    expectProblem(refused, { status: 403, code: 'forbidden' });
    expect((await app.request(method, path, { body })).status).toBe(401);
  });
});

describe('GET /api/admin/event-interests', () => {
  it('shows all of them, inactive ones too, in the order of the public list', async () => {
    const hidden = await anInterest({ is_active: false });
    const items = await all(100);
    expect(items).toContainEqual(hidden);
    const keys = items.map(({ name }) => name.toLowerCase());
    expect(keys).toEqual([...keys].sort());
    const { body } = await app.get('/api/auth/event-interests');
    const active = items.filter(({ is_active }) => is_active).map(({ id }) => id);
    expect(active).toEqual(body.items.map(({ id }: { id: string }) => id));
  });

  it('pages without a gap or a repeat, whatever is added meanwhile', async () => {
    const before = await all(3);
    expect(new Set(before.map(({ id }) => id)).size).toBe(before.length);
    const { body: first } = await app.get(`${INTERESTS}?limit=2`, admin.bearer);
    await anInterest({ name: `! ${randomUUID()}` });
    const { body: second } = await app.get(`${INTERESTS}?limit=2&cursor=${first.next_cursor}`, admin.bearer);
    expect([...first.items, ...second.items]).toEqual(before.slice(0, 4));
  });

  it.each(['limit=0', 'limit=101', 'cursor=x', 'cursor=', 'is_active=true'])('refuses ?%s', async (query) => {
    expect((await app.get(`${INTERESTS}?${query}`, admin.bearer)).status).toBe(422);
  });
});

describe('POST /api/admin/event-interests', () => {
  it('adds an interest, which can be chosen at once', async () => {
    const name = aName();
    const description = 'Black and white stones';
    const { status, body } = await add({ name: `  ${name}  ` });
    const slug = name.toLowerCase().replace(' ', '-');
    expect(status).toBe(201);
    expect(body).toEqual({ id: body.id, name, slug, former_slugs: [], description, is_active: true });
    const list = await app.get('/api/auth/event-interests');
    expect(list.body.items).toContainEqual({ id: body.id, name, slug, description });
    expect(await chosenBy(body.slug)).toBe(body.id);
  });

  it('writes down who did it, and what', async () => {
    const { id, name, slug } = await anInterest({ is_active: false });
    expect(await auditOf(id)).toEqual([
      {
        actor_id: admin.id,
        action: 'interest_created',
        object_type: 'event_interest',
        ip: '127.0.0.1',
        user_agent: 'node',
        request_id: expect.any(String),
        payload: {
          before: null,
          after: { name, slug, description: 'Black and white stones', is_active: false },
        },
      },
    ]);
  });

  it.each([
    ['Кёрлинг', /^kyorling$/],
    ['書道', /^interest-[0-9a-f]{8}$/],
    ['काव्य', /^interest-[0-9a-f]{8}$/],
    ['🏓🏓🏓', /^interest-[0-9a-f]{8}$/],
    ['0192A000-0000-7000-8000-000000000008', /^interest-0192a000-0000-7000-8000-000000000008$/],
    ['é'.repeat(60), /^e{56}$/],
  ])('makes a slug of %s', async (name, slug) => {
    const made = await anInterest({ name });
    expect(made.slug).toMatch(slug);
    expect(await chosenBy(made.slug)).toBe(made.id);
  });

  it('gives each of twenty names of one slug a slug of its own, asked for at once on two replicas', async () => {
    const base = `curling-${randomUUID().slice(0, 8)}`;
    const answers = await atOnce(20, (index) =>
      add({ name: `${base}${'!'.repeat(index + 1)}` }, index % 2 ? app : other),
    );
    expect(tally(answers)).toEqual({ 201: 20 });
    const numbered = Array.from({ length: 20 }, (_, index) => (index === 0 ? base : `${base}-${index + 1}`));
    expect(slugsOf(answers).sort()).toEqual(numbered.sort());
  });

  it('gives a name to one of twenty who ask for it at once, however it is written', async () => {
    const name = `Pétanque ${randomUUID()}`;
    const writings = [name, name.toUpperCase(), ` ${name} `, name.normalize('NFD')];
    const answers = await atOnce(20, (index) =>
      add({ name: writings[index % writings.length] }, index % 2 ? app : other),
    );
    expect(tally(answers)).toEqual({ 201: 1, 409: 19 });
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expectProblem(answer, { status: 409, code: 'interest_name_taken' });
    }
    const rows = await app.sql('SELECT id FROM event_interests WHERE lower(name) = lower($1)', [name]);
    expect(rows).toHaveLength(1);
    expect(await auditOf(String(rows[0]?.['id']))).toHaveLength(1);
  });

  it('passes over slugs that another interest had before', async () => {
    const name = aName();
    const { id, slug } = await anInterest({ name });
    await change(id, { name: aName(), slug: `${slug}-once` });
    expect((await anInterest({ name })).slug).toBe(`${slug}-2`);
  });
});

describe('PATCH /api/admin/event-interests/{id}', () => {
  it('changes what is given, and leaves the slug at a new name', async () => {
    const before = await anInterest();
    const name = aName();
    const { status, body } = await change(before.id, { name, is_active: false });
    expect({ status, body }).toEqual({ status: 200, body: { ...before, name, is_active: false } });
    expect((await change(before.id, { description: '' })).body).toEqual({ ...body, description: '' });
    expect(await all(100)).toContainEqual({ ...body, description: '' });
  });

  it('writes down what was and what is, of that only which changed', async () => {
    const { id, name } = await anInterest();
    const newName = aName();
    await change(id, { name: newName, description: 'Black and white stones', is_active: false });
    const [, entry] = await auditOf(id);
    expect(entry).toMatchObject({ actor_id: admin.id, action: 'interest_changed', ip: '127.0.0.1' });
    expect(entry?.['payload']).toEqual({
      before: { name, is_active: true },
      after: { name: newName, is_active: false },
    });
  });

  it('writes nothing where nothing changes', async () => {
    const interest = await anInterest();
    const { name, slug, description, is_active } = interest;
    for (const body of [{}, { name, slug, description, is_active }]) {
      let answer: Answer | undefined;
      const statements = await harness.statements(async () => {
        answer = await change(interest.id, body);
      });
      expect({ status: answer?.status, body: answer?.body }).toEqual({ status: 200, body: interest });
      expect(statements).toEqual(['START TRANSACTION', 'interests_lock', 'interests_read', 'COMMIT']);
    }
    expect(await auditOf(interest.id)).toHaveLength(1);
  });

  it('keeps every slug that was ever given, for that interest alone', async () => {
    const [ours, theirs] = [await anInterest(), await anInterest()];
    const slugs = [ours.slug, `a-${ours.slug}`, `b-${ours.slug}`];
    for (const slug of slugs.slice(1)) expect((await change(ours.id, { slug })).body.slug).toBe(slug);
    for (const name of [...slugs, slugs[0].toUpperCase(), ours.id])
      expect(await chosenBy(name)).toBe(ours.id);
    for (const slug of slugs) {
      expectProblem(await change(theirs.id, { slug }), { status: 409, code: 'interest_slug_taken' });
    }
    expect((await change(theirs.id, {})).body).toEqual(theirs);
    const back = await change(ours.id, { slug: slugs[0] });
    expect(back.body).toEqual({ ...ours, former_slugs: slugs.slice(1) });
  });

  it('keeps slugs that were changed by a statement, too', async () => {
    const [ours, theirs] = [await anInterest(), await anInterest()];
    const setSlug = (id: string, slug: string) =>
      app.sql('UPDATE event_interests SET slug = $2 WHERE id = $1', [id, slug]);
    await setSlug(ours.id, `c-${ours.slug}`);
    expect(await chosenBy(ours.slug)).toBe(ours.id);
    await expect(setSlug(theirs.id, ours.slug)).rejects.toThrow(/event_interest_slugs_pkey/);
    await expect(setSlug(theirs.id, NOBODY)).rejects.toThrow(/event_interest_slugs_slug_check/);
  });

  it('gives a slug to one of twenty interests that ask for it at once', async () => {
    const interests = await atOnce(20, () => anInterest());
    const slug = `go-${randomUUID()}`;
    const answers = await atOnce(20, (index) =>
      change(interests[index].id, { slug }, index % 2 ? app : other),
    );
    expect(tally(answers)).toEqual({ 200: 1, 409: 19 });
    const { id } = answers.find(({ status }) => status === 200)!.body;
    expect(await chosenBy(slug)).toBe(id);
  });

  it('does changes at once one after the other, as the log tells', async () => {
    const { id, description } = await anInterest();
    await atOnce(20, (index) => change(id, { description: `Stones ${index}` }, index % 2 ? app : other));
    const [, ...entries] = await auditOf(id);
    const steps = new Map(
      entries.map(({ payload }) => {
        const { before, after } = payload as Record<'before' | 'after', { description: string }>;
        return [before.description, after.description];
      }),
    );
    expect(steps.size).toBe(20);
    let last: string = description;
    for (let step = steps.get(last); step !== undefined; step = steps.get(last)) {
      steps.delete(last);
      last = step;
    }
    expect(steps.size).toBe(0);
    expect((await change(id, {})).body.description).toBe(last);
  });

  it('refuses the name of another, also of an inactive one, and takes its own in another case', async () => {
    const [ours, theirs] = [await anInterest(), await anInterest({ is_active: false })];
    expectProblem(await change(ours.id, { name: theirs.name.toUpperCase() }), {
      status: 409,
      code: 'interest_name_taken',
    });
    const { status, body } = await change(ours.id, { name: ours.name.toUpperCase() });
    expect([status, body.name]).toEqual([200, ours.name.toUpperCase()]);
  });

  it.each([NOBODY, 'games', '0', '%20', "'"])('answers 404 for %s', async (id) => {
    expectProblem(await change(id, { is_active: false }), { status: 404, code: 'not_found' });
  });
});
