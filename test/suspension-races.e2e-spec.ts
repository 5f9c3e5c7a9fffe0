import { anAdministrator } from './helpers/administrator.js';
import { aPhoneNumber, atOnce, type SignedInUser, tally, TestApp } from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';
import { eventually } from './helpers/eventually.js';

let app: TestApp;
let admin: SignedInUser;
// A number waits a second between two codes, and the administrator's token outlives the tests.
const env = { OTP_RESEND_SECONDS: '1', ACCESS_TOKEN_TTL_SECONDS: '3600' };
beforeAll(async () => {
  app = await TestApp.start({ env });
  admin = await anAdministrator(app);
});

const act = (on: TestApp, by: SignedInUser, id: string, what: 'suspend' | 'reactivate') =>
  on.post(`/api/admin/users/${id}/${what}`, what === 'suspend' ? { reason: 'Spam.' } : undefined, by.bearer);

async function statusOf(userId: string): Promise<string | undefined> {
  const [row] = await app.sql<{ status: string }>('SELECT status FROM users WHERE id = $1', [userId]);
  return row?.status;
}

async function liveSessions(userId: string): Promise<number | undefined> {
  const [row] = await app.sql<{ count: number }>(
    'SELECT count(*)::int FROM sessions WHERE user_id = $1 AND revoked_at IS NULL',
    [userId],
  );
  return row?.count;
}

async function auditedSuspensions(userId: string): Promise<number | undefined> {
  const [row] = await app.sql<{ count: number }>(
    `SELECT count(*)::int FROM audit_log WHERE object_id = $1 AND action = 'user_suspended'`,
    [userId],
  );
  return row?.count;
}

/** So many codes of one number, each bound to a client of its own, that all are good at once. */
async function someCodes(phoneNumber: string, count: number) {
  const codes: { code: string; code_verifier: string }[] = [];
  for (let index = 0; index < count; index += 1) {
    const { verifier, challenge } = aChallenge();
    await app.endWaits();
    await app.signup(phoneNumber, { code_challenge: challenge });
    codes.push({ code: await app.code(phoneNumber), code_verifier: verifier });
  }
  return codes;
}

describe.each([
  ['one replica', 1],
  ['two replicas', 2],
])('on %s', (_, replicas) => {
  let apps: TestApp[];
  beforeAll(async () => {
    apps = replicas === 1 ? [app] : [app, await app.replica({ env })];
  });
  const some = (index: number): TestApp => apps[index % apps.length]!;

  it('no session lives once a suspension has answered, whatever sign-ins and refreshes were under way', async () => {
    for (let round = 0; round < 8; round += 1) {
      const ana = await app.signIn(aPhoneNumber());
      const codes = await someCodes(ana.phoneNumber, 6);
      const signIns = codes.map(({ code, code_verifier }, index) =>
        some(index).verify(ana.phoneNumber, code, { code_verifier }),
      );
      const refreshes = atOnce(4, (index) =>
        some(index).post('/api/auth/refresh', { refresh_token: ana.refreshToken }),
      );
      const suspended = await act(some(round), admin, ana.id, 'suspend');
      expect(suspended.status).toBe(200);
      expect(await liveSessions(ana.id)).toBe(0);
      const opened = (await Promise.all(signIns)).filter(({ status }) => status === 200);
      expect((await Promise.all(signIns)).filter(({ status }) => ![200, 403].includes(status))).toEqual([]);
      const refreshed = (await refreshes).filter(({ status }) => status === 200);
      expect(await liveSessions(ana.id)).toBe(0);
      for (const { body } of [...opened, ...refreshed]) {
        for (const replica of apps) {
          const bearer = { authorization: `Bearer ${body.access_token}` };
          await eventually(
            () => replica.get('/api/auth/profile', bearer),
            ({ status }) => status === 401,
          );
        }
        const again = await some(round).post('/api/auth/refresh', { refresh_token: body.refresh_token });
        expect(again.status).toBe(401);
      }
    }
  });

  it('of two administrators who suspend each other at once, one stays', async () => {
    for (let round = 0; round < 3; round += 1) {
      const admins = [await anAdministrator(app), await anAdministrator(app)] as const;
      const [ana, ben] = admins;
      const answers = await Promise.all([
        act(some(0), ana, ben.id, 'suspend'),
        act(some(1), ben, ana.id, 'suspend'),
      ]);
      expect(tally(answers)).toEqual({ 200: 1, 401: 1 });
      const statuses = await Promise.all(admins.map(({ id }) => statusOf(id)));
      expect(statuses.sort()).toEqual(['active', 'suspended']);
    }
  });

  it('of four who suspend each other round about, one stays', async () => {
    const admins: SignedInUser[] = [];
    for (let index = 0; index < 4; index += 1) admins.push(await anAdministrator(app));
    const answers = await atOnce(12, (index) => {
      const [by, on] = [admins[index % 4]!, admins[(index + 1 + Math.floor(index / 4)) % 4]!];
      return act(some(index), by, on.id, 'suspend');
    });
    expect(answers.filter(({ status }) => ![200, 401].includes(status))).toEqual([]);
    const statuses = await Promise.all(admins.map(({ id }) => statusOf(id)));
    expect(statuses).toContain('active');
  });

  it('nobody who is being suspended lifts it by a request that was under way', async () => {
    for (let round = 0; round < 4; round += 1) {
      const ben = await anAdministrator(app);
      const lifts = atOnce(6, (index) => act(some(index), ben, ben.id, 'reactivate'));
      const suspended = await act(some(0), admin, ben.id, 'suspend');
      await lifts;
      expect(suspended.status).toBe(200);
      expect(await statusOf(ben.id)).toBe('suspended');
    }
  });

  it('of twenty suspensions of one user one is written', async () => {
    const ana = await app.signIn();
    const answers = await atOnce(20, (index) => act(some(index), admin, ana.id, 'suspend'));
    expect(tally(answers)).toEqual({ 200: 20 });
    expect(await auditedSuspensions(ana.id)).toBe(1);
  });

  it('a suspension and a deletion of the account at once wait for nobody for ever', async () => {
    for (let round = 0; round < 8; round += 1) {
      const ana = await app.signIn();
      const [suspended, deleted] = await Promise.all([
        act(some(0), admin, ana.id, 'suspend'),
        some(1).request('DELETE', '/api/auth/account', { headers: ana.bearer }),
      ]);
      expect([200, 404]).toContain(suspended.status);
      expect([204, 401]).toContain(deleted.status);
      expect(['suspended', 'deleted']).toContain(await statusOf(ana.id));
      expect(await liveSessions(ana.id)).toBe(0);
    }
  });
});
