import { randomUUID } from 'node:crypto';

import { sessionIdOf } from './helpers/access-token.js';
import { anAdministrator } from './helpers/administrator.js';
import { expectProblem, type SignedInUser, TestApp } from './helpers/app.js';
import { aCompleteUser } from './helpers/profile.js';

let app: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  admin = await anAdministrator(app);
});

const details = (id: string) => app.get(`/api/admin/users/${id}`, admin.bearer);

describe('GET /api/admin/users/{id}', () => {
  it('shows account, profile, sessions, and what happened last', async () => {
    const ana = await aCompleteUser(app);
    app.clock.advance(31);
    const again = await app.signIn(ana.phoneNumber);
    const { status, body, headers } = await details(ana.id);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const time = expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/);
    const session = {
      device_name: null,
      ip: '127.0.0.1',
      user_agent: expect.any(String),
      created_at: time,
      last_used_at: time,
      expires_at: time,
    };
    const entry = (id: string) => ({
      id: expect.any(String),
      at: time,
      actor_id: ana.id,
      action: 'signed_in',
      object_type: 'session',
      object_id: id,
      ip: '127.0.0.1',
      user_agent: expect.any(String),
      request_id: expect.any(String),
      payload: {},
    });
    const [first, second] = [sessionIdOf(ana), sessionIdOf(again)];
    expect(body).toEqual({
      id: ana.id,
      phone_number: ana.phoneNumber,
      status: 'active',
      name: 'Ana Pérez',
      created_at: time,
      last_sign_in_at: time,
      roles: [],
      needs_profile_completion: false,
      is_test: false,
      suspension: null,
      profile: (await app.get('/api/auth/profile', again.bearer)).body,
      sessions: [second, first].map((id) => ({ id, ...session })),
      audit_log: [second, first].map(entry),
    });
  });

  it('shows of a deleted user the id, and the audit log under it', async () => {
    const ana = await aCompleteUser(app);
    await app.request('DELETE', '/api/auth/account', { headers: ana.bearer });
    const { status, body } = await details(ana.id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: ana.id,
      phone_number: null,
      status: 'deleted',
      name: null,
      last_sign_in_at: null,
      suspension: null,
      profile: null,
      sessions: [],
    });
    expect(body.audit_log.map(({ action }: { action: string }) => action)).toEqual([
      'account_deleted',
      'signed_in',
    ]);
  });

  it('answers 404 for a user who is not there', async () => {
    for (const id of [randomUUID(), 'x', '%00', 'me']) {
      expectProblem(await details(id), { status: 404, code: 'not_found' });
    }
  });
});
