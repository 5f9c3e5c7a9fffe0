import { aPhoneNumber, harness, TestApp } from './helpers/app.js';
import { patch } from './helpers/profile.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

/** Without those that are sent once a second, however much is asked for. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  return (await harness.statements(work)).filter((name) => name !== 'service_failures_read');
}

// Every round trip counts on the hot path: one more is a decision, not an accident.
describe('the statements', () => {
  it('of a signup of a known number are four, beside the one that the inbox of test mode adds', async () => {
    const { phoneNumber } = await app.signIn();
    await app.endWaits();
    const statements = await statementsOf(() => app.signup(phoneNumber));
    expect(statements).toEqual([
      'user_find_by_number',
      'phone_facts_read',
      'otp_reserve',
      'inbox_add',
      'otp_activate',
    ]);
  });

  it('of a signup of a new one are one more, on its breakers', async () => {
    await app.signup(aPhoneNumber());
    const statements = await statementsOf(() => app.signup(aPhoneNumber()));
    expect(statements).toEqual([
      'user_find_by_number',
      'breaker_look',
      'phone_facts_read',
      'otp_reserve',
      'inbox_add',
      'otp_activate',
    ]);
  });

  it('of a signup that is the first in its second are one more, on the service as a whole', async () => {
    const { phoneNumber } = await app.signIn();
    await app.endWaits();
    app.clock.advance(1);
    const statements = await harness.statements(() => app.signup(phoneNumber));
    expect(statements).toHaveLength(6);
    expect(statements).toContain('service_failures_read');
  });

  it('of a refused signup are two', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    const statements = await statementsOf(() => app.signup(phone));
    expect(statements).toEqual(['user_find_by_number', 'phone_facts_read']);
  });

  it('of a verify are seven, five of them in one transaction', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone);
    const code = await app.code(phone);
    const statements = await harness.statements(() => app.verify(phone, code));
    expect(statements).toEqual([
      'address_counts_read',
      'otp_claim_guess',
      'START TRANSACTION',
      'otp_use_up',
      'user_sign_in',
      'session_insert',
      'audit_insert',
      'phone_settle',
      'COMMIT',
    ]);
  });

  it('of a wrong guess are three', async () => {
    const phone = aPhoneNumber();
    await app.signup(phone, { min_code_length: 8 });
    const statements = await harness.statements(() => app.verify(phone, '0000'));
    expect(statements).toEqual(['address_counts_read', 'otp_claim_guess', 'send_counters_add']);
  });

  it('of a refresh are two', async () => {
    const { refreshToken } = await app.signIn();
    const statements = await harness.statements(() =>
      app.post('/api/auth/refresh', { refresh_token: refreshToken }),
    );
    expect(statements).toEqual(['session_find_refreshable', 'session_rotate']);
  });

  it('of a profile is one: the token of a session that is known to live costs none', async () => {
    const { bearer } = await app.signIn();
    const statements = await harness.statements(() => app.get('/api/auth/profile', bearer));
    expect(statements).toEqual(['profile_read']);
  });

  it('of a token that this process does not know is one, once', async () => {
    const { bearer } = await app.signIn();
    const restarted = await app.replica();
    const statements = await harness.statements(async () => {
      await restarted.get('/api/auth/profile', bearer);
      await restarted.get('/api/auth/profile', bearer);
    });
    expect(statements).toEqual(['session_find_live', 'profile_read', 'profile_read']);
  });

  it('of a change of the profile are two', async () => {
    const user = await app.signIn();
    const statements = await harness.statements(() => patch(app, user, { bio: 'Trail runner.' }));
    expect(statements).toEqual(['profile_change', 'profile_read']);
  });
});
