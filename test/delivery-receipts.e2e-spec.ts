import { aPhoneNumber, atOnce, TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { AUTH_TOKEN, FakeTwilio, type Report } from './helpers/fake-twilio.mjs';
import { linesOf, startLive } from './helpers/live.js';
import { type Kept, PUBLIC_URL, Receipts, type Text, URL_OF_REPORTS } from './helpers/receipts.js';

let twilio: FakeTwilio;
let app: TestApp;
let aText: Receipts['aText'];
let report: Receipts['report'];
let kept: Receipts['kept'];
beforeAll(async () => {
  twilio = await FakeTwilio.start();
  app = await startLive(twilio, { PUBLIC_URL, TWILIO_AUTH_TOKEN: `${AUTH_TOKEN},the-one-before` });
  ({ aText, report, kept } = new Receipts(app, twilio));
});
afterAll(() => twilio.stop());

const NOTHING: Kept = { delivery_status: null, delivery_error: null, delivered_at: null };

/** How many texts count as delivered, and as not, among those to numbers that begin so. */
async function counts({ phone }: Text): Promise<Record<string, number>[]> {
  return app.sql(
    `SELECT sends, delivered, undelivered FROM send_counters WHERE scope = 'prefix' AND key = $1 ORDER BY span`,
    [phone.slice(0, -4)],
  );
}

describe('a delivery receipt', () => {
  it('is kept with the code of its text', async () => {
    const text = await aText();
    expect(await kept(text)).toEqual(NOTHING);
    expect(await report(text, 'sent')).toBe(204);
    expect(await kept(text)).toEqual({ ...NOTHING, delivery_status: 'sent' });
    app.clock.advance(5);
    const before = app.clock.now();
    expect(await report(text, 'delivered')).toBe(204);
    const { delivery_status, delivered_at } = await kept(text);
    expect(delivery_status).toBe('delivered');
    expect(delivered_at?.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(await counts(text)).toEqual([
      { sends: 1, delivered: 1, undelivered: 0 },
      { sends: 1, delivered: 1, undelivered: 0 },
    ]);
  });

  it('leaves the code as good as it was', async () => {
    const text = await aText();
    await report(text, 'undelivered', { errorCode: 30008 });
    expect((await app.verify(text.phone, twilio.code(text.phone) ?? '')).status).toBe(200);
    expect(await report(text, 'delivered')).toBe(204);
    expect(await kept(text)).toMatchObject({ delivery_status: 'undelivered', delivery_error: 30008 });
  });

  it.each([
    [['sending', 'sent', 'delivered'], 'delivered'],
    [['delivered', 'sent', 'sending', 'queued'], 'delivered'],
    [['sent', 'sending', 'accepted'], 'sent'],
    [['undelivered', 'delivered'], 'undelivered'],
    [['failed', 'sent', 'delivered'], 'failed'],
    [['delivered', 'failed', 'undelivered'], 'delivered'],
    [['queued', 'accepted'], 'queued'],
    [['sent', 'read', 'canceled', ''], 'sent'],
  ])('in the order %j ends as %s', async (statuses, last) => {
    const text = await aText();
    for (const status of statuses) expect(await report(text, status)).toBe(204);
    expect((await kept(text)).delivery_status).toBe(last);
  });

  it('that comes twenty times at once is news once, on two replicas too', async () => {
    const other = await app.replica({ env: twilio.environment({ PUBLIC_URL }) });
    const told: unknown[] = [];
    const phone = aPhoneNumber();
    for (const replica of [app, other]) {
      (await receiptsOf(replica)).onReceipt((receipt) => {
        if (receipt.phoneNumber === phone) told.push(receipt);
        return Promise.resolve();
      });
    }
    const text = await aText(phone);
    const answers = await atOnce(20, (index) =>
      twilio.report((index % 2 ? app : other).started.url, {
        url: URL_OF_REPORTS,
        sid: text.sid,
        status: 'undelivered',
        errorCode: 30450,
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(204));
    expect(told).toEqual([
      {
        otpId: expect.any(String),
        phoneNumber: phone,
        purpose: 'sign_in',
        status: 'undelivered',
        errorCode: 30450,
        isPumping: true,
        sentAt: expect.anything(),
        at: expect.anything(),
      },
    ]);
    expect(await counts(text)).toEqual([
      { sends: 1, delivered: 0, undelivered: 1 },
      { sends: 1, delivered: 0, undelivered: 1 },
    ]);
  });

  it('that comes before the sign-up is answered is kept all the same', async () => {
    const phone = aPhoneNumber();
    const sid = `SM${'1f'.repeat(16)}`;
    twilio.script(phone, { slow: 300, message: { sid } });
    const signup = app.signup(phone);
    await eventually(
      () => Promise.resolve(twilio.of(phone)),
      (requests) => requests.length === 1,
    );
    expect(await report({ sid }, 'delivered')).toBe(204);
    expect((await signup).status).toBe(200);
    expect((await kept({ phone, sid })).delivery_status).toBe('delivered');
  });

  it('of an unknown text, or of none, changes nothing', async () => {
    expect(await report({ sid: `SM${'2f'.repeat(16)}` }, 'delivered')).toBe(204);
    expect(await report({ sid: '' }, 'delivered')).toBe(204);
  });

  it('has its URL with its query', async () => {
    const text = await aText();
    expect(await report(text, 'sent', { query: '?a=1&b=%C3%A9' })).toBe(204);
    expect((await kept(text)).delivery_status).toBe('sent');
  });

  it('may be signed with an older token, while tokens change', async () => {
    const text = await aText();
    expect(await report(text, 'sent', { token: 'the-one-before' })).toBe(204);
    expect((await kept(text)).delivery_status).toBe('sent');
  });
});

describe('what is not signed by Twilio', () => {
  const FORGED: [string, Partial<Report>][] = [
    ['no signature', { signature: null }],
    ['an empty signature', { signature: '' }],
    ['a signature of nothing', { signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
    ['the signature of another token', { token: 'another-token' }],
    ['the signature of no token', { token: '' }],
    ['the signature of another URL', { url: 'https://evil.example.com/api/webhooks/twilio/status' }],
    ['the signature of the same URL by http', { url: URL_OF_REPORTS.replace('https', 'http') }],
    ['another account', { accountSid: `AC${'0e'.repeat(16)}` }],
  ];

  it.each(FORGED)('%s is forbidden, and changes nothing', async (_, forged) => {
    const text = await aText();
    const answer = await twilio.report(app.started.url, {
      url: URL_OF_REPORTS,
      sid: text.sid,
      status: 'delivered',
      ...forged,
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'forbidden' });
    expect(await kept(text)).toEqual(NOTHING);
  });

  it('is not what the Host header says', async () => {
    const text = await aText();
    // Signed for where the app listens, which is what the request claims.
    const url = `${app.started.url}/api/webhooks/twilio/status`;
    expect((await twilio.report(app.started.url, { url, sid: text.sid, status: 'delivered' })).status).toBe(
      403,
    );
    expect(await kept(text)).toEqual(NOTHING);
  });

  it.each([
    ['no body', undefined, {}],
    ['JSON', '{"MessageStatus":"delivered"}', { 'content-type': 'application/json' }],
  ])('is %s', async (_, raw, headers) => {
    const answer = await app.request('POST', '/api/webhooks/twilio/status', {
      ...(raw !== undefined && { raw }),
      headers: { ...headers, 'x-twilio-signature': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' },
    });
    expect(answer.status).toBe(403);
  });

  it('is told once a minute, for a PUBLIC_URL that is not the one', async () => {
    const own = await startLive(twilio, { PUBLIC_URL });
    const forge = () =>
      twilio.report(own.started.url, { url: URL_OF_REPORTS, sid: 'SM', status: 'sent', signature: null });
    await atOnce(10, forge);
    const told = () => linesOf(own).filter(({ msg }) => String(msg).includes('not signed for this URL'));
    expect(told()).toEqual([expect.objectContaining({ level: 'error', url: URL_OF_REPORTS })]);
    own.clock.advance(61);
    await forge();
    expect(told()).toHaveLength(2);
  });
});

describe('the route of receipts', () => {
  it('is not there in test mode', async () => {
    const test = await TestApp.start({ env: { PUBLIC_URL } });
    const report = { url: URL_OF_REPORTS, sid: 'SM', status: 'sent' };
    expect((await test.post('/api/webhooks/twilio/status')).status).toBe(404);
    expect((await twilio.report(test.started.url, report)).status).toBe(415);
  });

  it('alone takes forms, which elsewhere are an unsupported type', async () => {
    for (const path of ['/api/auth/signup', '/api/auth/verify-otp', '/api/auth/profile']) {
      const answer = await app.request(path.endsWith('profile') ? 'PATCH' : 'POST', path, {
        raw: new URLSearchParams({ phone_number: aPhoneNumber() }),
      });
      expect([path, answer.status]).toEqual([path, 415]);
    }
  });

  it('is for Twilio alone, so it is not in the document', async () => {
    const { body } = await app.get('/docs/openapi.json');
    expect(Object.keys(body.paths)).not.toContain('/api/webhooks/twilio/status');
    expect(body.info.description).not.toContain('inbox');
  });
});

describe('a name of a text that another has already', () => {
  it('costs nobody a code', async () => {
    const sid = `SM${'3f'.repeat(16)}`;
    const phones = Array.from({ length: 10 }, () => aPhoneNumber());
    for (const phone of phones) twilio.script(phone, { message: { sid } });
    const answers = await Promise.all(phones.map((phone) => app.signup(phone)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    for (const phone of phones) {
      expect((await app.verify(phone, twilio.code(phone) ?? '')).status).toBe(200);
    }
  });
});

interface Receipt {
  phoneNumber: string;
}

function receiptsOf(of: TestApp) {
  return of.started.provider<{
    onReceipt(handler: (receipt: Receipt) => Promise<void>): void;
  }>('otp/receipts/delivery-receipts.service.js', 'DeliveryReceipts');
}
