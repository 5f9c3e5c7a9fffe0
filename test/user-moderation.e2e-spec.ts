import { randomUUID } from 'node:crypto';

import { anAdministrator } from './helpers/administrator.js';
import { expectInvalidToken } from './helpers/access-token.js';
import { type Answer, expectProblem, problem, type SignedInUser, TestApp } from './helpers/app.js';
import { latchkey } from './helpers/command-line.js';
import { eventually } from './helpers/eventually.js';
import { aCompleteUser } from './helpers/profile.js';

let app: TestApp;
let other: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  other = await app.replica();
  admin = await anAdministrator(app);
});

const REASON = 'Sends advertisements to strangers.';
const path = (id: string, rest = '') => `/api/admin/users/${id}${rest}`;
const details = (id: string, by = admin) => app.get(path(id), by.bearer);
const suspend = (id: string, { reason = REASON, by = admin, on = app, headers = {} } = {}) =>
  on.post(path(id, '/suspend'), { reason }, { ...by.bearer, ...headers });
const reactivate = (id: string, by = admin) => app.post(path(id, '/reactivate'), undefined, by.bearer);
const endSessions = (id: string, by = admin) =>
  app.request('DELETE', path(id, '/sessions'), { headers: by.bearer });
const profile = ({ bearer }: SignedInUser, on = app) => on.get('/api/auth/profile', bearer);

const audited = (id: string) =>
  app.sql(
    `SELECT action, actor_id, ip, user_agent, request_id, payload FROM audit_log
     WHERE object_id = $1 AND object_type = 'user' ORDER BY id`,
    [id],
  );

async function endings(userId: string): Promise<(string | null)[]> {
  const rows = await app.sql<{ revoked_reason: string | null }>(
    'SELECT revoked_reason FROM sessions WHERE user_id = $1 ORDER BY id',
    [userId],
  );
  return rows.map(({ revoked_reason: reason }) => reason);
}

async function another(user: SignedInUser): Promise<SignedInUser> {
  app.clock.advance(31);
  return app.signIn(user.phoneNumber);
}

const isMissing = (answer: Answer) => expectProblem(answer, { status: 404, code: 'not_found' });

describe('POST /api/admin/users/{id}/suspend', () => {
  it('ends every session at once, here and elsewhere, and lets nobody in any more', async () => {
    const ana = await app.signIn();
    const again = await another(ana);
    for (const replica of [app, other]) expect((await profile(again, replica)).status).toBe(200);
    const { status, body } = await suspend(ana.id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: ana.id,
      status: 'suspended',
      suspension: { reason: REASON, at: expect.any(String), by: admin.id },
      sessions: [],
    });
    for (const session of [ana, again]) {
      expectInvalidToken(await profile(session));
      await eventually(
        () => profile(session, other),
        (answer) => answer.status === 401,
      );
      const refreshed = await app.post('/api/auth/refresh', { refresh_token: session.refreshToken });
      expectProblem(refreshed, { status: 401, code: 'refresh_token_invalid' });
    }
    expect(await endings(ana.id)).toEqual(['suspended', 'suspended']);
    app.clock.advance(31);
    // Who asks for a code learns nothing.
    const asked = await app.signup(ana.phoneNumber);
    expect(asked.status).toBe(200);
    const code = await app.code(ana.phoneNumber);
    expectProblem(await app.verify(ana.phoneNumber, code), { status: 403, code: 'account_suspended' });
    expect(await endings(ana.id)).toHaveLength(2);
  });

  it('takes the user out of the sight of others', async () => {
    const [ana, ben] = [await aCompleteUser(app), await app.signIn()];
    expect((await app.get(`/api/users/${ana.id}`, ben.bearer)).status).toBe(200);
    await suspend(ana.id);
    isMissing(await app.get(`/api/users/${ana.id}`, ben.bearer));
  });

  it('is audited with who, from where, and what was before and after', async () => {
    const ana = await app.signIn();
    await another(ana);
    await suspend(ana.id, { headers: { 'user-agent': 'Desk/1.0', 'x-request-id': 'a-case' } });
    expect(await audited(ana.id)).toEqual([
      {
        action: 'user_suspended',
        actor_id: admin.id,
        ip: '127.0.0.1',
        user_agent: 'Desk/1.0',
        request_id: 'a-case',
        payload: {
          before: { status: 'active', reason: null },
          after: { status: 'suspended', reason: REASON },
          sessions_ended: 2,
        },
      },
    ]);
  });

  it('repeated writes nothing twice; another reason takes the place of the one before', async () => {
    const ana = await app.signIn();
    const { body: first } = await suspend(ana.id);
    app.clock.advance(60);
    const second = await suspend(ana.id);
    expect([second.status, second.body.suspension]).toEqual([200, first.suspension]);
    expect(await audited(ana.id)).toHaveLength(1);
    const third = await suspend(ana.id, { reason: 'Spam.' });
    expect([third.status, third.body.suspension]).toEqual([200, { ...first.suspension, reason: 'Spam.' }]);
    expect((await audited(ana.id)).at(-1)).toMatchObject({
      action: 'user_suspended',
      payload: {
        before: { status: 'suspended', reason: REASON },
        after: { status: 'suspended', reason: 'Spam.' },
        sessions_ended: 0,
      },
    });
  });

  it('takes over who was suspended by a statement, sessions included', async () => {
    const ana = await app.signIn();
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [ana.id]);
    expect((await details(ana.id)).body).toMatchObject({ status: 'suspended', suspension: null });
    expect((await suspend(ana.id)).body.suspension).toMatchObject({ reason: REASON, by: admin.id });
    expect(await endings(ana.id)).toEqual(['suspended']);
  });

  it('refuses the own account, however its id is written', async () => {
    for (const id of [admin.id, admin.id.toUpperCase()]) {
      expectProblem(await suspend(id), { status: 409, code: 'cannot_suspend_yourself' });
    }
    expect((await details(admin.id)).body).toMatchObject({ status: 'active', roles: ['admin'] });
  });

  it('takes an administrator out of office at once', async () => {
    const ben = await anAdministrator(app);
    expect((await details(admin.id, ben)).status).toBe(200);
    expect((await suspend(ben.id)).status).toBe(200);
    expectInvalidToken(await details(admin.id, ben));
    await reactivate(ben.id);
    expectInvalidToken(await details(admin.id, ben));
  });

  it('is refused for who is deleted or was never there', async () => {
    const ana = await app.signIn();
    await app.request('DELETE', '/api/auth/account', { headers: ana.bearer });
    for (const id of [ana.id, randomUUID(), 'x', '%00']) isMissing(await suspend(id));
    expect((await details(ana.id)).body.status).toBe('deleted');
  });

  it('is told to the user, once back, without the reason and without whoever did it', async () => {
    const ana = await app.signIn();
    await suspend(ana.id);
    await reactivate(ana.id);
    const back = await another(ana);
    const { body } = await app.get('/api/auth/activity', back.bearer);
    const shown = { is_own: false, ip: null, user_agent: null, details: {}, session_id: null };
    expect(body.items.slice(1, 3)).toEqual([
      expect.objectContaining({ action: 'user_reactivated', ...shown }),
      expect.objectContaining({ action: 'user_suspended', ...shown }),
    ]);
    expect(JSON.stringify(body)).not.toContain(admin.id);
    // All that is kept of a person is theirs to have, where they ask for it.
    const exported = await app.get('/api/auth/account/export', back.bearer);
    const activity: { action: string }[] = exported.body.activity;
    expect(activity.find(({ action }) => action === 'user_suspended')).toMatchObject({
      ...shown,
      details: { after: { status: 'suspended', reason: REASON } },
    });
    expect(JSON.stringify(exported.body)).not.toContain(admin.id);
  });

  it('is erased with the account', async () => {
    const ana = await app.signIn();
    const erasure = await app.started.provider<{
      erase(transaction: unknown, userId: string): Promise<void>;
    }>('users/user-erasure.service.js', 'UserErasure');
    await suspend(ana.id);
    await app.started.transaction((transaction) => erasure.erase(transaction, ana.id));
    expect((await details(ana.id)).body).toMatchObject({ status: 'deleted', suspension: null });
  });
});

describe('POST /api/admin/users/{id}/reactivate', () => {
  it('lets the user sign in again, and revives no session', async () => {
    const ana = await app.signIn();
    await suspend(ana.id);
    const { status, body } = await reactivate(ana.id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: ana.id, status: 'active', suspension: null, sessions: [] });
    expectInvalidToken(await profile(ana));
    const refreshed = await app.post('/api/auth/refresh', { refresh_token: ana.refreshToken });
    expect(refreshed.body).toEqual(problem('refresh_token_invalid'));
    expect((await profile(await another(ana))).status).toBe(200);
    expect((await audited(ana.id)).at(-1)).toMatchObject({
      action: 'user_reactivated',
      actor_id: admin.id,
      payload: { before: { status: 'suspended', reason: REASON }, after: { status: 'active' } },
    });
  });

  it('repeated, or of an active user, changes and writes nothing', async () => {
    const ana = await app.signIn();
    expect((await reactivate(ana.id)).status).toBe(200);
    expect(await audited(ana.id)).toEqual([]);
    expect((await profile(ana)).status).toBe(200);
  });

  it('is refused for who is deleted or was never there', async () => {
    const ana = await app.signIn();
    await app.request('DELETE', '/api/auth/account', { headers: ana.bearer });
    for (const id of [ana.id, randomUUID(), 'x']) isMissing(await reactivate(id));
  });
});

describe('DELETE /api/admin/users/{id}/sessions', () => {
  it('signs the user out everywhere, who may sign in again', async () => {
    const ana = await app.signIn();
    const again = await another(ana);
    expect((await profile(again, other)).status).toBe(200);
    expect(await endSessions(ana.id)).toMatchObject({ status: 204, body: '' });
    for (const session of [ana, again]) expectInvalidToken(await profile(session));
    await eventually(
      () => profile(again, other),
      ({ status }) => status === 401,
    );
    expect(await endings(ana.id)).toEqual(['administrator', 'administrator']);
    expect((await profile(await another(ana))).status).toBe(200);
    expect(await audited(ana.id)).toEqual([
      expect.objectContaining({ action: 'user_sessions_ended', actor_id: admin.id, payload: { count: 2 } }),
    ]);
  });

  it('repeated finds nothing to do, and writes nothing', async () => {
    const ana = await app.signIn();
    for (let round = 0; round < 2; round += 1) expect((await endSessions(ana.id)).status).toBe(204);
    expect(await audited(ana.id)).toHaveLength(1);
  });

  it('is refused for who is deleted or was never there', async () => {
    const ana = await app.signIn();
    await app.request('DELETE', '/api/auth/account', { headers: ana.bearer });
    for (const id of [ana.id, randomUUID(), 'x']) isMissing(await endSessions(id));
  });
});

describe('the last administrator', () => {
  it('is the last one who is not suspended', async () => {
    const own = await TestApp.start({ database: await app.freshDatabase() });
    const [ana, ben] = [await anAdministrator(own), await anAdministrator(own)];
    expect((await suspend(ben.id, { by: ana, on: own })).status).toBe(200);
    const revoke = latchkey(own.started.database, 'revoke', 'admin', ana.phoneNumber);
    await expect(revoke).rejects.toThrow('Nobody else is an administrator');
  });
});
