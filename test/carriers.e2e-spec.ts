import { aPhoneNumber, problem, type TestApp } from './helpers/app.js';
import { FakeTwilio } from './helpers/fake-twilio.mjs';
import { linesOf, startLive } from './helpers/live.js';
import { PUBLIC_URL, Receipts, URL_OF_REPORTS } from './helpers/receipts.js';

let twilio: FakeTwilio;
let app: TestApp;
let aText: Receipts['aText'];
let report: Receipts['report'];
let kept: Receipts['kept'];
beforeAll(async () => {
  twilio = await FakeTwilio.start();
  app = await startLive(twilio, { PUBLIC_URL });
  ({ aText, report, kept } = new Receipts(app, twilio));
});
afterAll(() => twilio.stop());

describe('a number of which its carrier says', () => {
  it.each([
    [30004, 'phone_number_unreachable'],
    [30005, 'phone_number_unreachable'],
    [30006, 'phone_number_unsupported'],
  ])('%i is told %s for a day', async (errorCode, code) => {
    const text = await aText();
    expect(await report(text, 'undelivered', { errorCode })).toBe(204);
    expect(await kept(text)).toMatchObject({ delivery_status: 'undelivered', delivery_error: errorCode });
    app.clock.advance(60);
    const refused = await app.signup(text.phone);
    expect([refused.status, refused.body]).toEqual([422, problem(code)]);
    expect(twilio.of(text.phone)).toHaveLength(1);
    app.clock.advance(24 * 60 * 60 - 61);
    expect((await app.signup(text.phone)).body).toEqual(problem(code));
    app.clock.advance(2);
    expect((await app.signup(text.phone)).status).toBe(200);
  });

  it.each([30003, 30007, 30008, 30036, 30450, 30485, 30500, 99999])('%i may ask again', async (errorCode) => {
    const text = await aText();
    expect(await report(text, 'undelivered', { errorCode })).toBe(204);
    app.clock.advance(31);
    expect((await app.signup(text.phone)).status).toBe(200);
  });

  it.each([30450, 60410])('%i has its range left alone for twelve hours', async (errorCode) => {
    const text = await aText();
    expect(await report(text, 'undelivered', { errorCode })).toBe(204);
    await expectLeftAlone(app, text.phone);
  });

  it.each([30450, 60410])('%i at once has its range left alone as well', async (code) => {
    const phone = aPhoneNumber();
    twilio.script(phone, { code });
    expect((await app.signup(phone)).body).toEqual(problem('sms_unavailable'));
    await expectLeftAlone(app, phone);
  });

  it('a sender that is not registered, the operator is told', async () => {
    const own = await startLive(twilio, { PUBLIC_URL });
    const phone = aPhoneNumber();
    await own.signup(phone);
    const sid = twilio.of(phone)[0]?.sid ?? '';
    const answer = await twilio.report(own.started.url, {
      url: URL_OF_REPORTS,
      sid,
      status: 'undelivered',
      errorCode: 30034,
    });
    expect(answer.status).toBe(204);
    expect(linesOf(own)).toContainEqual(
      expect.objectContaining({
        level: 'error',
        code: 30034,
        sid,
        to: expect.stringMatching(/^\+5511\*+\d\d$/),
      }),
    );
    expect((await own.get('/health/ready')).body).toEqual({ status: 'degraded' });
    expect(JSON.stringify(linesOf(own))).not.toContain(phone.slice(1));
  });
});

/** Fails unless the breaker of the number's range is open, for as long as providers block. */
async function expectLeftAlone(of: TestApp, phone: string): Promise<void> {
  const [row] = await of.sql<{ open_until: Date; reason: { rule: string } }>(
    'SELECT open_until, reason FROM sms_breakers WHERE scope = $1',
    [`prefix:${phone.slice(0, -4)}`],
  );
  expect(row?.reason.rule).toBe('provider');
  const hours = ((row?.open_until.getTime() ?? 0) - of.clock.now().getTime()) / 3_600_000;
  expect(Math.round(hours)).toBe(12);
}
