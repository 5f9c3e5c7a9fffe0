import { claimsOf } from './helpers/access-token.js';
import { anAdministrator } from './helpers/administrator.js';
import { aPhoneNumber, type Answer, expectProblem, type SignedInUser, TestApp } from './helpers/app.js';
import { latchkey } from './helpers/command-line.js';
import { eventually } from './helpers/eventually.js';

const ADMINS_ONLY: [string, string] = ['../test/helpers/admin-module.mjs', 'AdminsOnlyModule'];
const HOUR = 3600;

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ hostModule: ADMINS_ONLY });
});

const secrets = ({ bearer }: Pick<SignedInUser, 'bearer'>, on = app) =>
  on.get('/api/admins-only/secrets', bearer);
const cli = (...args: string[]) => latchkey(app.started.database, ...args);
const rolesIn = (accessToken: string) => claimsOf(accessToken)['roles'];

function signIn(phoneNumber: string, digits: number): Promise<SignedInUser> {
  app.clock.advance(31);
  return app.signIn(phoneNumber, { min_code_length: digits });
}

const refusal = async (command: Promise<string>): Promise<string> => {
  const error: { stderr?: string; code?: number } = await command.then(
    () => ({}),
    (thrown: unknown) => thrown as { stderr: string; code: number },
  );
  expect(error.code).toBe(1);
  return error.stderr ?? '';
};

const isForbidden = (answer: Answer) => expectProblem(answer, { status: 403, code: 'forbidden' });

describe('the role of an administrator', () => {
  it('opens a route that requires it, in a session that a code of eight digits has opened', async () => {
    const admin = await anAdministrator(app);
    expect(rolesIn(admin.accessToken)).toEqual(['admin']);
    expect(await secrets(admin)).toMatchObject({ status: 200, body: { open: true } });
  });

  it.each([4, 6, 7])(
    'is nowhere in a session of %i digits, so that nothing tells who has it',
    async (digits) => {
      const { phoneNumber } = await anAdministrator(app);
      const admin = await signIn(phoneNumber, digits);
      expect(rolesIn(admin.accessToken)).toEqual([]);
      isForbidden(await secrets(admin));
    },
  );

  it('is not there for a user who does not hold it, whatever the code', async () => {
    const user = await signIn(aPhoneNumber(), 8);
    expect(rolesIn(user.accessToken)).toEqual([]);
    isForbidden(await secrets(user));
    expect((await app.get('/api/admins-only/secrets')).status).toBe(401);
  });

  it('is not in sessions that were open before it was granted, not after a refresh either', async () => {
    const user = await app.signIn();
    await cli('grant', 'admin', user.phoneNumber);
    const { body } = await app.post('/api/auth/refresh', { refresh_token: user.refreshToken });
    expect(rolesIn(body.access_token)).toEqual([]);
  });

  it('goes on in a refreshed session until twelve hours after the sign-in, on the second', async () => {
    const admin = await anAdministrator(app);
    app.clock.advance(12 * HOUR - 600);
    const { body } = await app.post('/api/auth/refresh', { refresh_token: admin.refreshToken });
    const refreshed = { bearer: { authorization: `Bearer ${body.access_token}` } };
    expect(rolesIn(body.access_token)).toEqual(['admin']);
    expect((await secrets(refreshed)).status).toBe(200);
    // The token has minutes to live, and says admin; the role is over all the same.
    app.clock.advance(601);
    isForbidden(await secrets(refreshed));
    const { body: later } = await app.post('/api/auth/refresh', { refresh_token: body.refresh_token });
    expect(rolesIn(later.access_token)).toEqual([]);
  });

  it('is in force from allowed addresses only, even for a token that was made at one', async () => {
    const env = { ADMIN_ALLOWED_IPS: '10.0.0.0/8,2001:db8::/32', TRUST_PROXY: '1' };
    const guarded = await app.replica({ env, hostModule: ADMINS_ONLY });
    const { phoneNumber } = await app.signIn();
    await cli('grant', 'admin', phoneNumber);
    app.clock.advance(31);
    await guarded.signup(phoneNumber, { min_code_length: 8 });
    const body = { phone_number: phoneNumber, otp_code: await guarded.code(phoneNumber) };
    const from = (ip: string) => ({ 'x-forwarded-for': ip });
    const signedIn = await guarded.post('/api/auth/verify-otp', body, from('10.1.2.3'));
    const bearer = { authorization: `Bearer ${signedIn.body.access_token}` };
    const ask = (ip: string) => guarded.get('/api/admins-only/secrets', { ...bearer, ...from(ip) });
    expect(rolesIn(signedIn.body.access_token)).toEqual(['admin']);
    for (const ip of ['10.1.2.3', '10.255.0.1', '2001:db8::7'])
      expect([ip, (await ask(ip)).status]).toEqual([ip, 200]);
    for (const ip of ['11.0.0.1', '2001:db9::7', 'x']) isForbidden(await ask(ip));
    const elsewhere = await guarded.post(
      '/api/auth/refresh',
      { refresh_token: signedIn.body.refresh_token },
      from('192.0.2.1'),
    );
    expect(rolesIn(elsewhere.body.access_token)).toEqual([]);
  });

  it('is gone from every session once it is revoked, on every replica', async () => {
    const other = await app.replica({ hostModule: ADMINS_ONLY });
    const [admin] = [await anAdministrator(app), await anAdministrator(app)];
    for (const replica of [app, other]) expect((await secrets(admin, replica)).status).toBe(200);
    await cli('revoke', 'admin', admin.phoneNumber);
    for (const replica of [app, other]) {
      isForbidden(
        await eventually(
          () => secrets(admin, replica),
          ({ status }) => status !== 200,
        ),
      );
      expect((await replica.get('/api/auth/profile', admin.bearer)).status).toBe(200);
    }
  });
});

describe('latchkey grant, revoke and list', () => {
  it('say what they did, and write it down', async () => {
    const { phoneNumber, id } = await app.signIn();
    expect(await cli('grant', 'admin', phoneNumber)).toMatch(/^Granted\. .*8 digits/);
    expect(await cli('grant', 'admin', phoneNumber)).toBe('That user is an administrator already.\n');
    const listed = await cli('list');
    expect(listed).toContain(id);
    expect(listed).not.toContain(phoneNumber);
    await anAdministrator(app);
    const spaced = `${phoneNumber.slice(0, 3)} ${phoneNumber.slice(3)}`;
    expect(await cli('revoke', 'admin', spaced)).toBe('Revoked.\n');
    expect(await cli('revoke', 'admin', phoneNumber)).toBe('That user is no administrator.\n');
    const log = await app.sql(
      'SELECT actor_id, action, object_type, ip, payload FROM audit_log WHERE object_id = $1 ORDER BY id',
      [id],
    );
    const entry = { actor_id: null, object_type: 'user', ip: null, payload: { role: 'admin' } };
    expect(log).toEqual(['role_granted', 'role_revoked'].map((action) => ({ ...entry, action })));
  });

  it('refuse what cannot be, and say what to do', async () => {
    const nobody = aPhoneNumber();
    expect(await refusal(cli('grant', 'admin', nobody))).toContain('sign in with it once');
    expect(await refusal(cli('grant', 'admin', '0151'))).toContain('country code');
    expect(await refusal(cli('grant', 'root', nobody))).toContain('admin');
    const suspended = await app.signIn();
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [suspended.id]);
    expect(await refusal(cli('grant', 'admin', suspended.phoneNumber))).toContain('suspended');
  });

  it('do not take the role from the last who holds it, nor from the last two at once, unless told to', async () => {
    const database = await app.freshDatabase();
    const fresh = await TestApp.start({ database });
    const [ana, ben] = [await fresh.signIn(), await fresh.signIn()];
    for (const { phoneNumber } of [ana, ben]) await latchkey(database, 'grant', 'admin', phoneNumber);
    const revoke = (user: SignedInUser, ...more: string[]) =>
      latchkey(database, 'revoke', 'admin', user.phoneNumber, ...more);
    const outcomes = await Promise.allSettled([ana, ben].map((user) => revoke(user)));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const holders = await fresh.sql<{ phone_number: string }>(
      `SELECT phone_number FROM users WHERE 'admin' = ANY (roles)`,
    );
    expect(holders).toHaveLength(1);
    const last = [ana, ben].find(({ phoneNumber }) => phoneNumber === holders[0]?.phone_number)!;
    expect(await refusal(revoke(last))).toContain('Nobody else is an administrator');
    expect(await revoke(last, '--last')).toBe('Revoked.\n');
    expect(await latchkey(database, 'list')).toBe('Nobody holds a role.\n');
  });
});
