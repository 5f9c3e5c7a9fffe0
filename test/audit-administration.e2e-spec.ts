import { randomUUID } from 'node:crypto';

import { anAdministrator } from './helpers/administrator.js';
import { type Answer, expectProblem, type SignedInUser, TestApp } from './helpers/app.js';

let app: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  admin = await anAdministrator(app);
});

type Query = Record<string, string>;

const log = (query: Query = {}, by = admin): Promise<Answer> =>
  app.get(`/api/admin/audit-log?${new URLSearchParams(query)}`, by.bearer);

async function entries(query: Query = {}): Promise<Answer['body'][]> {
  const { status, body } = await log({ limit: '100', ...query });
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.items;
}
const actions = async (query: Query) => (await entries(query)).map(({ action }) => action);

/** A user who was suspended and reactivated, and signed in once. */
async function aSuspendedUser(): Promise<SignedInUser> {
  const user = await app.signIn();
  for (const [act, body] of [['suspend', { reason: 'Spam.' }], ['reactivate']] as const) {
    const answer = await app.post(`/api/admin/users/${user.id}/${act}`, body, admin.bearer);
    expect(answer.status).toBe(200);
  }
  return user;
}

describe('GET /api/admin/audit-log', () => {
  it('lists every field of what was done, newest first', async () => {
    const user = await app.signIn();
    await app.post('/api/auth/logout', undefined, { ...user.bearer, 'x-request-id': 'my-request' });
    const { status, headers, body } = await log({ limit: '2' });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const common = {
      id: expect.any(String),
      at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      actor_id: user.id,
      object_type: 'session',
      object_id: expect.any(String),
      ip: '127.0.0.1',
      user_agent: expect.any(String),
    };
    expect(body).toEqual({
      items: [
        { ...common, action: 'session_ended', request_id: 'my-request', payload: { reason: 'logout' } },
        { ...common, action: 'signed_in', request_id: expect.any(String), payload: {} },
      ],
      next_cursor: expect.any(String),
    });
  });

  it('shows what a user did and what was done to them, or only what they did', async () => {
    const user = await aSuspendedUser();
    expect(await actions({ user_id: user.id })).toEqual(['user_reactivated', 'user_suspended', 'signed_in']);
    expect(await actions({ user_id: user.id.toUpperCase() })).toHaveLength(3);
    expect(await actions({ actor_id: user.id })).toEqual(['signed_in']);
    expect(await actions({ user_id: randomUUID() })).toEqual([]);
  });

  it('shows what all of a combination is so of', async () => {
    const [user] = [await aSuspendedUser(), await aSuspendedUser()];
    expect(await actions({ user_id: user.id, actor_id: admin.id })).toEqual([
      'user_reactivated',
      'user_suspended',
    ]);
    expect(await actions({ user_id: user.id, actor_id: user.id })).toEqual(['signed_in']);
    expect(await actions({ user_id: user.id, action: 'user_suspended' })).toEqual(['user_suspended']);
    expect(await actions({ user_id: user.id, actor_id: admin.id, action: 'signed_in' })).toEqual([]);
    const suspensions = await entries({ actor_id: admin.id, action: 'user_suspended' });
    expect(suspensions.map(({ object_id }) => object_id)).toContain(user.id);
    expect(new Set(suspensions.map(({ action }) => action))).toEqual(new Set(['user_suspended']));
  });

  it('shows what was done from a moment on, and before one', async () => {
    const first = app.clock.now();
    const one = await aSuspendedUser();
    app.clock.advance(60);
    const second = app.clock.now();
    await app.post(`/api/admin/users/${one.id}/suspend`, { reason: 'Spam.' }, admin.bearer);
    const ofOne = { user_id: one.id };
    expect(await actions({ ...ofOne, from: second.toISOString() })).toEqual(['user_suspended']);
    expect(await actions({ ...ofOne, from: first.toISOString(), to: second.toISOString() })).toEqual([
      'user_reactivated',
      'user_suspended',
      'signed_in',
    ]);
    expect(await actions({ ...ofOne, to: first.toISOString() })).toEqual([]);
    // The first moment belongs to it, the last does not.
    const [{ at }] = await entries({ ...ofOne, from: second.toISOString() });
    expect(await actions({ ...ofOne, from: at })).toEqual(['user_suspended']);
    expect(await actions({ ...ofOne, from: second.toISOString(), to: at })).toEqual([]);
    for (const [from, to] of [
      ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z'],
      ['1969-12-31T23:59:59.999+14:00', '2999-01-01T00:00:00-12:00'],
    ] as const) {
      expect(await actions({ ...ofOne, from, to })).toHaveLength(4);
    }
    expect(await actions({ ...ofOne, to: '1969-12-31T00:00:00Z' })).toEqual([]);
  });

  it('pages: each entry once, whatever is added meanwhile', async () => {
    const user = await aSuspendedUser();
    await app.post(`/api/admin/users/${user.id}/suspend`, { reason: 'Spam.' }, admin.bearer);
    for (const query of [{ user_id: user.id }, { user_id: user.id, actor_id: admin.id }]) {
      const all = (await entries(query)).map(({ id }) => id);
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const { body }: Answer = await log({ ...query, limit: '1', ...(cursor && { cursor }) });
        seen.push(...body.items.map(({ id }: { id: string }) => id));
        cursor = body.next_cursor;
        await app.post(`/api/admin/users/${user.id}/reactivate`, undefined, admin.bearer);
        await app.post(`/api/admin/users/${user.id}/suspend`, { reason: 'Spam.' }, admin.bearer);
      } while (cursor);
      expect(seen).toEqual(all);
    }
  });

  it.each([
    ['user_id=me', 'user_id', 'format'],
    ['actor_id=1', 'actor_id', 'format'],
    ['action=drink_tea', 'action', 'not_allowed'],
    ['action=', 'action', 'not_allowed'],
    ['from=yesterday', 'from', 'format'],
    ['from=2026-02-30T00:00:00Z', 'from', 'format'],
    ['to=2026-02-01', 'to', 'format'],
    ['to=2026-02-01T00:00:00', 'to', 'format'],
    ['to=2026-02-01T00:00:00Z&to=2026-02-01T00:00:00Z', 'to', 'type'],
    ['limit=101', 'limit', 'out_of_range'],
    ['cursor=x', 'cursor', 'format'],
    ['q=x', 'q', 'unknown_field'],
  ])('refuses %s', async (query, field, code) => {
    const errors = [{ field, code, message: expect.any(String) }];
    const answer = await app.get(`/api/admin/audit-log?${query}`, admin.bearer);
    expectProblem(answer, { status: 422, code: 'validation_failed', errors });
  });

  it('is only for administrators', async () => {
    expectProblem(await log({}, await app.signIn()), { status: 403, code: 'forbidden' });
    expect((await app.get('/api/admin/audit-log')).status).toBe(401);
  });
});
