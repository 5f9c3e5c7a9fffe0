import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

import { aPhoneNumber, atOnce, expectProblem, problem, tally, type TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { ACCOUNT_SID, FakeTwilio, MESSAGING_SERVICE_SID } from './helpers/fake-twilio.mjs';
import { linesOf, signInLive, startLive } from './helpers/live.js';

let twilio: FakeTwilio;
let app: TestApp;
beforeAll(async () => {
  twilio = await FakeTwilio.start();
  app = await startLive(twilio);
});
const servers: Server[] = [];
afterAll(async () => {
  await twilio.stop();
  for (const server of servers) server.close();
});

const UNAVAILABLE = { status: 503, code: 'sms_unavailable', retry_after: 30 };

const codeOf = (phone: string) => twilio.code(phone) ?? '';

/** Whether a code that was texted is good, or gone. */
async function expectGood(of: TestApp, phone: string): Promise<void> {
  expect((await of.signup(phone)).body).toEqual(problem('otp_cooldown'));
  expect((await of.verify(phone, codeOf(phone))).status).toBe(200);
}

describe('a text', () => {
  it('goes out by the Messaging Service, for as long as its code lives', async () => {
    const phone = aPhoneNumber();
    expect((await app.signup(phone)).status).toBe(200);
    const [request, ...others] = twilio.of(phone);
    expect(others).toEqual([]);
    expect(request).toMatchObject({
      method: 'POST',
      url: `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(request?.form).toEqual({
      To: phone,
      Body: expect.stringMatching(/^\d{4} is your Latchkey code\./),
      MessagingServiceSid: MESSAGING_SERVICE_SID,
      ValidityPeriod: '600',
      SmartEncoded: 'true',
      RiskCheck: 'enable',
    });
    expect((await app.verify(phone, codeOf(phone))).status).toBe(200);
  });

  it('goes out once for forty signups at once', async () => {
    const phone = aPhoneNumber();
    expect(tally(await atOnce(40, () => app.signup(phone)))).toEqual({ 200: 1, 429: 39 });
    expect(twilio.of(phone)).toHaveLength(1);
  });

  it('comes from a number where there is one', async () => {
    const own = await startLive(twilio, {
      TWILIO_MESSAGING_SERVICE_SID: '',
      TWILIO_FROM_NUMBER: '+14155550100',
    });
    const phone = aPhoneNumber();
    expect((await own.signup(phone)).status).toBe(200);
    expect(twilio.of(phone)[0]?.form).toMatchObject({ From: '+14155550100' });
    expect(twilio.of(phone)[0]?.form).not.toHaveProperty('MessagingServiceSid');
  });

  it('is signed with the first auth token of a rotation, or with an API key', async () => {
    const rotated = await startLive(twilio, { TWILIO_AUTH_TOKEN: 'the-auth-token-of-a-fake,the-one-before' });
    expect((await rotated.signup(aPhoneNumber())).status).toBe(200);

    const key = { TWILIO_API_KEY: `SK${'0d'.repeat(16)}`, TWILIO_API_SECRET: 'the-secret-of-the-key' };
    const ofKey = await FakeTwilio.start({ user: key.TWILIO_API_KEY, password: key.TWILIO_API_SECRET });
    const own = await startLive(ofKey, key);
    expect((await own.signup(aPhoneNumber())).status).toBe(200);
    const withoutToken = await startLive(ofKey, { ...key, TWILIO_AUTH_TOKEN: '' });
    expect((await withoutToken.signup(aPhoneNumber())).status).toBe(200);
    await ofKey.stop();
  });

  it('asks for a receipt where the public URL is https, if it carries a code', async () => {
    const own = await startLive(twilio, {
      PUBLIC_URL: 'https://id.example.com/sign-in/',
      OTP_TTL_SECONDS: '120',
    });
    const { phoneNumber: old, bearer } = await signInLive(own, twilio);
    expect(twilio.of(old)[0]?.form).toMatchObject({
      StatusCallback: 'https://id.example.com/sign-in/api/webhooks/twilio/status',
      ValidityPeriod: '120',
    });

    const phone = aPhoneNumber();
    await own.post('/api/auth/phone-number', { phone_number: phone }, bearer);
    await own.post('/api/auth/phone-number/verify', { phone_number: phone, otp_code: codeOf(phone) }, bearer);
    const [, notice] = await eventually(
      () => Promise.resolve(twilio.of(old)),
      (texts) => texts.length === 2,
    );
    expect(notice?.form).toMatchObject({ Body: expect.stringContaining('moved') });
    expect(notice?.form).not.toHaveProperty('StatusCallback');
    expect(notice?.form).not.toHaveProperty('ValidityPeriod');
  });

  it.each([
    [{ PUBLIC_URL: 'http://id.example.com' }, 'PUBLIC_URL is not https'],
    [{ PUBLIC_URL: 'https://id_1.example.com' }, 'Twilio calls no host with a _ in its name'],
    [
      {
        PUBLIC_URL: 'https://id.example.com',
        TWILIO_AUTH_TOKEN: '',
        TWILIO_API_KEY: `SK${'0d'.repeat(16)}`,
        TWILIO_API_SECRET: 'x',
      },
      'they are signed with TWILIO_AUTH_TOKEN, which is not set',
    ],
  ])('asks for no receipt with %j, and the log says why', async (env, why) => {
    const own = await startLive(twilio, env);
    const phone = aPhoneNumber();
    await own.signup(phone);
    expect(twilio.of(phone)).toHaveLength(1);
    expect(twilio.of(phone)[0]?.form).not.toHaveProperty('StatusCallback');
    expect(linesOf(own)).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: `Twilio sends no delivery receipts: ${why}` }),
    );
  });
});

describe('another try', () => {
  const busy = { code: 20429, status: 429 };
  const broken = { status: 503, html: '<h1>Service unavailable</h1>' };

  it('sends the text that Twilio was too busy for, up to three times', async () => {
    const phone = aPhoneNumber();
    twilio.script(phone, busy, busy, busy, 'created');
    expect((await app.signup(phone)).status).toBe(200);
    expect(twilio.of(phone)).toHaveLength(4);
    expect(new Set(twilio.of(phone).map(({ form }) => form['Body'])).size).toBe(1);
    expect((await app.verify(phone, codeOf(phone))).status).toBe(200);
  });

  it('sends the text that a queue had no room for', async () => {
    const phone = aPhoneNumber();
    twilio.script(phone, { code: 21611 }, 'created');
    expect((await app.signup(phone)).status).toBe(200);
    expect(twilio.of(phone)).toHaveLength(2);
  });

  it('sends the text that Twilio has failed with, with the same code', async () => {
    const phone = aPhoneNumber();
    twilio.script(phone, broken, 'created');
    expect((await app.signup(phone)).status).toBe(200);
    expect(new Set(twilio.of(phone).map(({ form }) => form['Body'])).size).toBe(1);
    expect((await app.verify(phone, codeOf(phone))).status).toBe(200);
  });

  it('that is refused says nothing of the first, whose text may still arrive', async () => {
    const phone = aPhoneNumber();
    twilio.script(phone, broken, { code: 20003, status: 401 });
    expectProblem(await app.signup(phone), UNAVAILABLE);
    await expectGood(app, phone);
  });

  it('that tells of a bad number is believed', async () => {
    const phone = aPhoneNumber();
    twilio.script(phone, broken, { code: 21211 });
    expectProblem(await app.signup(phone), { status: 422, code: 'phone_number_invalid' });
  });

  it('is not made of what no other would help', async () => {
    const phone = aPhoneNumber();
    twilio.script(phone, { code: 21606 }, 'created');
    expectProblem(await app.signup(phone), UNAVAILABLE);
    expect(twilio.of(phone)).toHaveLength(1);
  });

  it('waits for as long as Twilio says, where it was the last', async () => {
    const phone = aPhoneNumber();
    twilio.script(phone, { ...busy, retryAfter: 7 });
    const answer = await app.signup(phone);
    expectProblem(answer, { ...UNAVAILABLE, retry_after: 7 });
    expect(answer.headers.get('retry-after')).toBe('7');
  });

  it('of a number that opted out says how to opt in', async () => {
    const phone = aPhoneNumber();
    twilio.script(phone, { code: 21610 });
    expect((await app.signup(phone)).body).toMatchObject({
      code: 'phone_number_unreachable',
      detail: expect.stringContaining('START'),
    });
  });
});

describe('within the time that is set', () => {
  let hasty: TestApp;
  beforeAll(async () => {
    hasty = await startLive(twilio, { TWILIO_TIMEOUT_MS: '300' });
  });

  it.each([['hang' as const], [{ slow: 60_000 }]])('%j is no answer: the text may arrive', async (script) => {
    const phone = aPhoneNumber();
    twilio.script(phone, script);
    expectProblem(await hasty.signup(phone), UNAVAILABLE);
    expect(twilio.of(phone)).toHaveLength(1);
    await expectGood(hasty, phone);
  });

  it('all tries are made, or no more are', async () => {
    const phone = aPhoneNumber();
    // Four would take longer than there is time for three.
    twilio.script(phone, { code: 20429, status: 429, slow: 100 });
    expectProblem(await hasty.signup(phone), UNAVAILABLE);
    expect(twilio.of(phone).length).toBeLessThan(4);
  });

  it('a connection that takes too long has sent nothing', async () => {
    // It takes connections, and speaks no TLS.
    const silent = createServer((socket) => socket.resume());
    const url = await listening(silent);
    const own = await startLive(twilio, { TWILIO_API_BASE_URL: url, TWILIO_TIMEOUT_MS: '300' });
    const phone = aPhoneNumber();
    expectProblem(await own.signup(phone), UNAVAILABLE);
    expectProblem(await own.signup(phone), UNAVAILABLE);
  });
});

describe('a connection', () => {
  it('that is refused has sent nothing: there is no code, and no wait', async () => {
    const gone = await FakeTwilio.start();
    const own = await startLive(gone);
    await gone.stop();
    const phone = aPhoneNumber();
    expectProblem(await own.signup(phone), UNAVAILABLE);
    expectProblem(await own.signup(phone), UNAVAILABLE);
    expect(await own.sql('SELECT FROM phone_otps WHERE phone_number = $1', [phone])).toEqual([]);
    expect(linesOf(own)).toContainEqual(
      expect.objectContaining({ level: 'error', code: 'ECONNREFUSED', to: expect.stringMatching(/\*/) }),
    );
  });

  it('that fails before the request is on its way is tried once more', async () => {
    let connections = 0;
    const closing = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const own = await startLive(twilio, { TWILIO_API_BASE_URL: await listening(closing) });
    expectProblem(await own.signup(aPhoneNumber()), UNAVAILABLE);
    expect(connections).toBe(2);
  });

  it('that ends before anything of it is read leaves the fate of the text unknown', async () => {
    // Nobody listens to what comes.
    const ending = createServer((socket) => socket.end());
    const url = (await listening(ending)).replace('https', 'http');
    const own = await startLive(twilio, { TWILIO_API_BASE_URL: url });
    const phone = aPhoneNumber();
    expectProblem(await own.signup(phone), UNAVAILABLE);
    expect((await own.signup(phone)).body).toEqual(problem('otp_cooldown'));
  });

  it('to nowhere is told by its name', async () => {
    const own = await startLive(twilio, { TWILIO_API_BASE_URL: 'https://twilio.invalid' });
    expectProblem(await own.signup(aPhoneNumber()), UNAVAILABLE);
    expect(linesOf(own)).toContainEqual(
      expect.objectContaining({ level: 'error', code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) }),
    );
  });
});

describe('an error of the setup', () => {
  it('is logged once a minute, and readiness says degraded until a text is sent', async () => {
    const own = await startLive(twilio, { TWILIO_AUTH_TOKEN: 'another-token' });
    const ready = async () => {
      const { status, body } = await own.get('/health/ready');
      return { status, body };
    };
    const errors = () => linesOf(own).filter(({ level }) => level === 'error');
    expect(await ready()).toEqual({ status: 200, body: { status: 'ok' } });
    await atOnce(20, () => own.signup(aPhoneNumber()));
    expect(errors()).toEqual([expect.objectContaining({ code: 20003, status: 401 })]);
    expect(await ready()).toEqual({ status: 200, body: { status: 'degraded' } });

    own.clock.advance(30);
    await own.signup(aPhoneNumber());
    expect(errors()).toHaveLength(1);
    own.clock.advance(31);
    await own.signup(aPhoneNumber());
    expect(errors()).toHaveLength(2);
    expect(JSON.stringify(linesOf(own))).not.toContain('another-token');
  });

  it('is over with the first text that is sent', async () => {
    const own = await startLive(twilio);
    const phone = aPhoneNumber();
    twilio.script(phone, { code: 21606 }, 'created');
    await own.signup(phone);
    expect((await own.get('/health/ready')).body).toEqual({ status: 'degraded' });
    expect((await own.signup(phone)).status).toBe(200);
    expect((await own.get('/health/ready')).body).toEqual({ status: 'ok' });
  });
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
