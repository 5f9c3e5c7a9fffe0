import { createHash } from 'node:crypto';

import { aPhoneNumber, TestApp } from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';
import { noticesTo } from './helpers/phone-change.js';

describe('the log', () => {
  it('holds no code, token, secret or full phone number of a whole sign-in, its refusals included', async () => {
    const codes: string[] = [];
    const app = await TestApp.start({
      env: { LOG_LEVEL: 'trace' },
      codes: (length) => {
        const code = createHash('sha256')
          .update(String(codes.length))
          .digest('hex')
          .replace(/\D/g, '1')
          .slice(0, length);
        codes.push(code);
        return code;
      },
    });
    const phone = aPhoneNumber();
    const { verifier, challenge } = aChallenge();
    await app.signup(phone, { min_code_length: 8, code_challenge: challenge });
    await app.signup(phone, { min_code_length: 8 });
    await app.verify(phone, '00000000', { code_verifier: verifier });
    await app.verify(phone, '99999999');
    const { body: signedIn } = await app.verify(phone, codes[0] ?? '', { code_verifier: verifier });
    const { body: refreshed } = await app.post('/api/auth/refresh', {
      refresh_token: signedIn.refresh_token,
    });
    await app.post('/api/auth/refresh', { refresh_token: signedIn.refresh_token });
    const bearer = { authorization: `Bearer ${refreshed.access_token}` };
    await app.get('/api/auth/profile', bearer);
    await app.get('/api/auth/profile', { authorization: `Bearer ${signedIn.access_token}x` });
    await app.get(`/dev/inbox/messages?to=${encodeURIComponent(phone)}`);
    const next = aPhoneNumber();
    await app.post('/api/auth/phone-number', { phone_number: next }, bearer);
    const guess = { phone_number: next, otp_code: codes.at(-1) };
    const { body: moved } = await app.post('/api/auth/phone-number/verify', guess, bearer);
    await noticesTo(app, phone);
    const push = { platform: 'ios', token: 'a-push-token-of-the-device' };
    await app.request('PUT', '/api/auth/push-token', { body: push, headers: bearer });
    await app.request('PUT', '/api/auth/push-token', { body: { ...push, more: 1 }, headers: bearer });
    await app.get(`/no/such/route/${encodeURIComponent(phone)}?code=${codes[0]}`);
    await app.request('POST', '/api/auth/signup', { headers: { 'content-type': 'text/plain' } });
    await app.sql('ALTER TABLE phone_otps RENAME TO mislaid');
    await app.signup(aPhoneNumber(), { device_token: signedIn.device_token });
    await app.verify(phone, codes[0] ?? '');
    await app.sql('ALTER TABLE mislaid RENAME TO phone_otps');
    await app.post('/api/auth/logout', undefined, bearer);

    const log = app.started.log.lines.join('');
    expect(log).toContain('"route":"/api/auth/verify-otp"');
    expect(log).toContain('"code":"internal_error"');
    expect(codes[0]).toMatch(/^\d{8}$/);
    const secrets = {
      phones: [phone.slice(1), next.slice(1)],
      codes: codes.filter(({ length }) => length === 8),
      verifier,
      challenge,
      secret: 'a-secret-for-tests',
      deviceToken: moved.device_token,
      pushToken: push.token,
      tokens: [signedIn, refreshed].flatMap(({ access_token, refresh_token, device_token }) => [
        // The signature alone would do for a thief who has the rest.
        access_token.split('.')[2],
        refresh_token,
        ...(device_token ? [device_token] : []),
      ]),
    };
    for (const [name, values] of Object.entries(secrets)) {
      for (const value of [values].flat()) {
        expect(value.length).toBeGreaterThanOrEqual(8);
        expect([name, log.includes(value)]).toEqual([name, false]);
      }
    }
  });

  it('is one JSON object a line, with the request id of the answer', async () => {
    const app = await TestApp.start();
    const { headers } = await app.get('/.well-known/jwks.json', { 'x-request-id': 'a.request_id-1' });
    expect(headers.get('x-request-id')).toBe('a.request_id-1');
    const lines = app.started.log.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        time: expect.stringMatching(/Z$/),
        request_id: 'a.request_id-1',
        method: 'GET',
        route: '/.well-known/jwks.json',
        status: 200,
      }),
    );
  });
});
