import { randomUUID } from 'node:crypto';

import { anAdministrator } from './helpers/administrator.js';
import {
  aPhoneNumber,
  type Answer,
  expectProblem,
  harness,
  type SignedInUser,
  TestApp,
} from './helpers/app.js';
import { aCompleteUser } from './helpers/profile.js';

let app: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  admin = await anAdministrator(app);
});

type Query = Record<string, string | number>;
type User = Answer['body'];

const find = (query: Query = {}): Promise<Answer> =>
  app.get(`/api/admin/users?${new URLSearchParams(query as Record<string, string>)}`, admin.bearer);
const idsOf = ({ body }: Answer): string[] => body.items.map(({ id }: User) => id);
const namesOf = ({ body }: Answer): string[] => body.items.map(({ name }: User) => name);

/** Letters that no other test searches for. */
const aSurname = () => `Q${randomUUID().replace(/[^a-f]/g, '')}${randomUUID().replace(/[^a-f]/g, '')}`;

/** Users of these names, past the API: so many requests would take their time. */
async function namedUsers(names: readonly string[]): Promise<string[]> {
  const { nameKeyOf } = await harness.load<{ nameKeyOf: (name: string) => string }>('users/name-key.js');
  const rows = await app.sql<{ id: string }>(
    `WITH named AS (
       SELECT gen_random_uuid() AS id, name, key FROM unnest($1::text[], $2::text[]) AS given (name, key)
     ), made AS (
       INSERT INTO users (id, phone_number, created_at) SELECT id, id::text, now() FROM named
     )
     INSERT INTO user_profiles (user_id, name, name_key, updated_at) SELECT id, name, key, now() FROM named
     RETURNING user_id AS id`,
    [names, names.map(nameKeyOf)],
  );
  return rows.map(({ id }) => id);
}

/** All pages of a search; `between` happens between them. */
async function pages(query: Query, between?: () => Promise<unknown>): Promise<User[]> {
  const seen: User[] = [];
  let cursor: string | null = null;
  do {
    const answer: Answer = await find({ ...query, ...(cursor !== null && { cursor }) });
    expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
    seen.push(...answer.body.items);
    cursor = answer.body.next_cursor;
    await between?.();
  } while (cursor !== null);
  return seen;
}

describe('GET /api/admin/users', () => {
  it('lists all users, the newest first, with what support needs', async () => {
    const [complete, bare] = [await aCompleteUser(app), await app.signIn()];
    const { status, body, headers } = await find({ limit: 2 });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const time = expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/);
    const common = { status: 'active', created_at: time, last_sign_in_at: time, roles: [] };
    expect(body).toEqual({
      items: [
        {
          ...common,
          id: bare.id,
          phone_number: bare.phoneNumber,
          name: null,
          needs_profile_completion: true,
        },
        {
          ...common,
          id: complete.id,
          phone_number: complete.phoneNumber,
          name: 'Ana Pérez',
          needs_profile_completion: false,
        },
      ],
      next_cursor: expect.any(String),
    });
  });

  it('finds a user by the number, however it is written', async () => {
    const user = await app.signIn();
    const [, area = '', first = '', second = ''] = /^\+55(\d\d)(\d{5})(\d{4})$/.exec(user.phoneNumber) ?? [];
    for (const q of [
      user.phoneNumber,
      `+55 ${area} ${first}-${second}`,
      ` +55 (${area}) ${first}.${second} `,
      // A raw + in a query says space.
      ` 55${area}${first}${second}`,
      ` 55 ${area} ${first} ${second}`,
    ]) {
      expect([q, idsOf(await find({ q }))]).toEqual([q, [user.id]]);
    }
    const raw = await app.get(`/api/admin/users?q=${user.phoneNumber}`, admin.bearer);
    expect(idsOf(raw)).toEqual([user.id]);
    expect(raw.body.next_cursor).toBeNull();
    // Neither another one, nor a part of one.
    for (const q of [aPhoneNumber(), user.phoneNumber.slice(0, -1)])
      expect(idsOf(await find({ q }))).toEqual([]);
  });

  it('finds a user by the id, a deleted one too', async () => {
    const [user, gone] = [await app.signIn(), await aCompleteUser(app)];
    expect(idsOf(await find({ q: user.id.toUpperCase() }))).toEqual([user.id]);
    await app.request('DELETE', '/api/auth/account', { headers: gone.bearer });
    const { body } = await find({ q: gone.id });
    expect(body.items).toEqual([
      expect.objectContaining({ id: gone.id, phone_number: null, name: null, status: 'deleted' }),
    ]);
    for (const q of [randomUUID(), gone.phoneNumber]) expect(idsOf(await find({ q }))).toEqual([]);
  });

  it.each([
    ['Ana Pérez', ['ana p', 'ANA PE', 'aná pérez', 'An', 'ana pe\u0301rez']],
    ['İpek Şahin', ['ipek s', 'IPEK Ş', 'i\u0307pek']],
    ['Γιώργος Παππάς', ['ΓΙΩΡΓΟΣ', 'γιωργος π', 'Γιώργ']],
    ['Алексей Ёлкин', ['алексеи елкин', 'АЛЕКСЕЙ Ё']],
    ['محمد علي', ['مُحَمَّد', 'محمد ع']],
    ['रीमा शर्मा', ['री', 'रीमा श']],
    ['王小明', ['王', '王小']],
    ['김민수', ['김', '김민']],
    ['Nguyễn Văn An', ['nguyen van', 'NGUYỄN']],
  ])('finds %s by how the name begins, whatever case and accents', async (name, beginnings) => {
    const suffix = aSurname();
    const user = await aCompleteUser(app, { name: `${name} ${suffix}` });
    for (const q of [...beginnings, `${name} ${suffix}`]) {
      const found = (await pages({ q, limit: 100 })).map(({ id }) => id);
      expect([q, found.includes(user.id)]).toEqual([q, true]);
    }
    for (const q of [suffix, `${name} ${suffix}x`, `x${name}`]) expect(idsOf(await find({ q }))).toEqual([]);
  });

  it('finds a user by the new name once it was changed, and no more by the one before', async () => {
    const [one, other] = [aSurname(), aSurname()];
    const user = await aCompleteUser(app, { name: one });
    expect(idsOf(await find({ q: one }))).toEqual([user.id]);
    await app.request('PATCH', '/api/auth/profile', { body: { bio: 'A bio.' }, headers: user.bearer });
    expect(idsOf(await find({ q: one }))).toEqual([user.id]);
    await app.request('PATCH', '/api/auth/profile', { body: { name: other }, headers: user.bearer });
    expect(idsOf(await find({ q: one }))).toEqual([]);
    expect(idsOf(await find({ q: other }))).toEqual([user.id]);
  });

  it('finds a user whose name the previous version has written', async () => {
    const surname = aSurname();
    const user = await aCompleteUser(app);
    await app.sql('UPDATE user_profiles SET name = $2 WHERE user_id = $1', [
      user.id,
      `José Ñandú ${surname}`,
    ]);
    expect(idsOf(await find({ q: `jose nandu ${surname}` }))).toEqual([user.id]);
  });

  it('takes no character of a name for a wildcard, and an empty text for none', async () => {
    const user = await aCompleteUser(app, { name: aSurname() });
    for (const q of ['%', '_', 'Q%', '\\', "' OR 1=1 --"])
      expect([q, idsOf(await find({ q }))]).toEqual([q, []]);
    for (const q of ['', ' ']) expect(idsOf(await find({ q, limit: 1 }))).toEqual([user.id]);
  });

  it('shows those of a status', async () => {
    const surname = aSurname();
    const [active, suspended, gone] = [
      await aCompleteUser(app, { name: `${surname} a` }),
      await aCompleteUser(app, { name: `${surname} b` }),
      await aCompleteUser(app, { name: `${surname} c` }),
    ];
    const reason = { reason: 'Spam.' };
    await app.post(`/api/admin/users/${suspended.id}/suspend`, reason, admin.bearer);
    await app.request('DELETE', '/api/auth/account', { headers: gone.bearer });
    const newest = async (status: string) => idsOf(await find({ status, limit: 1 }))[0];
    expect(await newest('active')).toBe(active.id);
    expect(await newest('suspended')).toBe(suspended.id);
    expect(await newest('deleted')).toBe(gone.id);
    const named = async (status: string) => idsOf(await find({ q: surname, status }));
    expect(await named('active')).toEqual([active.id]);
    expect(await named('suspended')).toEqual([suspended.id]);
    expect(await named('deleted')).toEqual([]);
    const numbered = async (status: string) => idsOf(await find({ q: suspended.phoneNumber, status }));
    expect([await numbered('suspended'), await numbered('active')]).toEqual([[suspended.id], []]);
    expect(idsOf(await find({ q: gone.id, status: 'active' }))).toEqual([]);
  });

  it('pages by id: each user once, whoever signs up meanwhile', async () => {
    const made = [];
    for (let index = 0; index < 5; index += 1) made.unshift((await app.signIn()).id);
    const seen = await pages({ limit: 2 }, () => app.signIn());
    const ids = seen.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.slice(0, 5)).toEqual(made);
  });

  it('pages by name: each user once and in order, of one name too, whoever comes between', async () => {
    const surname = aSurname();
    const names = ['Zoë', 'ana', 'Álvaro', 'Ana', 'ana', 'Bo', 'Ana'].map((name) => `${surname} ${name}`);
    const made = await namedUsers(names);
    const seen = await pages({ q: surname, limit: 2 }, () =>
      namedUsers([`${surname} aaa`, `${surname} Ana`, `${surname} zz`]),
    );
    const ids = seen.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(made.filter((id) => !ids.includes(id))).toEqual([]);
    const keys = seen.map(({ name }) => name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase());
    expect(keys).toEqual([...keys].sort());
    expect(namesOf(await find({ q: `${surname} ana`, limit: 100 }))).not.toContain(`${surname} Bo`);
  });

  it('refuses the cursor of another search', async () => {
    const surname = aSurname();
    await namedUsers([`${surname} a`, `${surname} b`]);
    const byId: string = (await find({ limit: 1 })).body.next_cursor;
    const byName: string = (await find({ q: surname, limit: 1 })).body.next_cursor;
    const errors = [{ field: 'cursor', code: 'format', message: expect.any(String) }];
    for (const query of [
      { cursor: byName },
      { cursor: byName, q: aSurname() },
      { cursor: byName, q: `${surname} b` },
      { cursor: byId, q: surname },
      { cursor: byId, q: admin.phoneNumber },
      { cursor: byName, q: admin.id },
      { cursor: 'x' },
      { cursor: '' },
      { cursor: `${byName}x` },
      { cursor: Buffer.from('{"id":"1 OR 1=1"}').toString('base64url') },
      { cursor: Buffer.from(JSON.stringify({ name: 'a\0', id: admin.id })).toString('base64url') },
    ]) {
      expectProblem(await find(query), { status: 422, code: 'validation_failed', errors });
    }
  });

  it.each([
    ['limit=0', 'limit', 'out_of_range'],
    ['limit=101', 'limit', 'out_of_range'],
    ['status=gone', 'status', 'not_allowed'],
    ['status=', 'status', 'not_allowed'],
    ['status=active&status=deleted', 'status', 'type'],
    [`q=${'a'.repeat(101)}`, 'q', 'too_long'],
    ['q=a%00', 'q', 'unsafe_text'],
    ['q=%E2%80%AEa', 'q', 'unsafe_text'],
    ['q=a&q=b', 'q', 'type'],
    ['q[x]=a', 'q[x]', 'unknown_field'],
    ['phone_number=1', 'phone_number', 'unknown_field'],
  ])('refuses %s', async (query, field, code) => {
    const errors = [{ field, code, message: expect.any(String) }];
    const answer = await app.get(`/api/admin/users?${query}`, admin.bearer);
    expectProblem(answer, { status: 422, code: 'validation_failed', errors });
  });

  it('is only for administrators', async () => {
    const user = await app.signIn();
    expectProblem(await app.get('/api/admin/users', user.bearer), { status: 403, code: 'forbidden' });
    expect((await app.get('/api/admin/users')).status).toBe(401);
  });

  it('leaves what was searched for out of the log, where it fails too', async () => {
    const own = await TestApp.start({
      database: app.started.database,
      clock: app.clock,
      env: { LOG_LEVEL: 'trace' },
    });
    const { phoneNumber } = await app.signIn();
    const surname = aSurname();
    const ask = async () => {
      for (const q of [phoneNumber, surname]) {
        await own.get(`/api/admin/users?q=${encodeURIComponent(q)}`, admin.bearer);
        await own.get(`/api/admin/users?limit=0&q=${encodeURIComponent(q)}`, admin.bearer);
      }
    };
    await ask();
    await app.sql('ALTER TABLE user_profiles RENAME TO mislaid');
    await ask();
    await app.sql('ALTER TABLE mislaid RENAME TO user_profiles');
    const log = own.started.log.lines.join('');
    expect(log).toContain('"route":"/api/admin/users"');
    expect(log).toContain('"code":"internal_error"');
    for (const searched of [phoneNumber.slice(1), surname, surname.toLowerCase()]) {
      expect(log).not.toContain(searched);
    }
  });
});
