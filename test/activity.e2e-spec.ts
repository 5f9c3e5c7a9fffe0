import { randomUUID } from 'node:crypto';

import { sessionIdOf } from './helpers/access-token.js';
import { aPhoneNumber, type SignedInUser, TestApp } from './helpers/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const activity = ({ bearer }: Pick<SignedInUser, 'bearer'>, query = '') =>
  app.get(`/api/auth/activity${query}`, bearer);
const refresh = (token: string, headers?: Record<string, string>) =>
  app.post('/api/auth/refresh', { refresh_token: token }, headers);
describe('GET /api/auth/activity', () => {
  it('lists what the user did, newest first, with where it was done from', async () => {
    const phone = aPhoneNumber();
    const first = await app.signIn(phone);
    app.clock.advance(31);
    const second = await app.signIn(phone);
    await app.request('DELETE', `/api/auth/sessions/${sessionIdOf(first)}`, {
      headers: { ...second.bearer, 'user-agent': 'ExampleApp/4.2' },
    });
    await app.request('DELETE', '/api/auth/sessions', { headers: second.bearer });
    const { status, body } = await activity(second);
    expect(status).toBe(200);
    const common = {
      id: expect.any(String),
      at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      is_own: true,
      ip: '127.0.0.1',
      user_agent: expect.any(String),
      details: {},
    };
    expect(body).toEqual({
      items: [
        { ...common, action: 'other_sessions_ended', session_id: null, details: { session_ids: [] } },
        {
          ...common,
          action: 'session_ended',
          session_id: sessionIdOf(first),
          user_agent: 'ExampleApp/4.2',
          details: { reason: 'ended' },
        },
        { ...common, action: 'signed_in', session_id: sessionIdOf(second) },
        { ...common, action: 'signed_in', session_id: sessionIdOf(first) },
      ],
      next_cursor: null,
    });
  });

  it('shows a refresh token that came twice, and whose session was ended for it', async () => {
    const user = await app.signIn();
    app.clock.advance(31);
    const watching = await app.signIn(user.phoneNumber);
    await refresh(user.refreshToken);
    app.clock.advance(31);
    await refresh(user.refreshToken, { 'user-agent': 'curl' });
    const { body } = await activity(watching, '?limit=1');
    expect(body.items).toEqual([
      expect.objectContaining({
        action: 'refresh_token_reused',
        is_own: false,
        session_id: sessionIdOf(user),
        ip: '127.0.0.1',
        user_agent: 'curl',
      }),
    ]);
  });

  it('shows a repeated refresh only where it came from somewhere else', async () => {
    const user = await app.signIn();
    const agent = (name: string) => ({ 'user-agent': name });
    await refresh(user.refreshToken, agent('ExampleApp/4.2'));
    await refresh(user.refreshToken, agent('ExampleApp/4.2'));
    const actions = async () =>
      (await activity(user)).body.items.map(({ action }: { action: string }) => action);
    expect(await actions()).toEqual(['signed_in']);
    await refresh(user.refreshToken, agent('curl'));
    expect(await actions()).toEqual(['refresh_repeated', 'signed_in']);
  });

  it('shows nothing of others, and not where an administrator works', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    await app.sql(
      `INSERT INTO audit_log (id, at, actor_id, action, object_type, object_id, ip, user_agent, payload)
       VALUES ('ffffffff-ffff-7fff-bfff-ffffffffffff', now(), $1, 'role_granted', 'user', $2, '10.0.0.1', 'x', '{}')`,
      [ben.id, ana.id],
    );
    const { body } = await activity(ana);
    expect(body.items).toEqual([
      expect.objectContaining({ action: 'role_granted', is_own: false, ip: null, user_agent: null }),
      expect.objectContaining({ action: 'signed_in', session_id: sessionIdOf(ana) }),
    ]);
  });

  it('pages by cursor: each entry once, whatever is added meanwhile', async () => {
    const user = await app.signIn();
    const entries = Array.from({ length: 7 }, (_, index) => `ffffffff-0000-7000-8000-00000000000${index}`);
    for (const id of entries) {
      await app.sql(
        `INSERT INTO audit_log (id, at, actor_id, action, object_type, object_id, payload)
         VALUES ($1, now(), $2, 'signed_in', 'user', $2, '{}')`,
        [id, user.id],
      );
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await activity(user, `?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`);
      expect(body.items.length).toBeLessThanOrEqual(3);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor;
      await app.sql(
        `INSERT INTO audit_log (id, at, actor_id, action, object_type, object_id, payload)
         VALUES (gen_random_uuid(), now(), $1, 'signed_in', 'user', $1, '{}')`,
        [randomUUID()],
      );
    } while (cursor !== null);
    expect(seen.slice(0, 7)).toEqual([...entries].reverse());
    expect(seen).toHaveLength(8);
    expect(new Set(seen).size).toBe(8);
  });

  it.each([
    ['limit=0', 'limit', 'out_of_range'],
    ['limit=101', 'limit', 'out_of_range'],
    ['limit=ten', 'limit', 'type'],
    ['limit=1&limit=2', 'limit', 'type'],
    ['cursor=x', 'cursor', 'format'],
    ['cursor=', 'cursor', 'format'],
    ["cursor=' OR 1=1 --aaaaaaaaaaaa", 'cursor', 'format'],
    ['cursor=AZNbLnwffVKaPkyNL2saBx', 'cursor', 'format'],
    ['cursor=a&cursor=b', 'cursor', 'type'],
    ['page=2', 'page', 'unknown_field'],
  ])('refuses ?%s', async (query, field, code) => {
    const user = await app.signIn();
    const { status, body } = await activity(user, `?${encodeURI(query)}`);
    expect([status, body.errors]).toEqual([422, [expect.objectContaining({ field, code })]]);
  });
});
