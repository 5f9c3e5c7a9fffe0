import { aPhoneNumber, expectProblem, problem, type TestApp } from './helpers/app.js';
import { aChallenge } from './helpers/challenge.js';
import { FakeTwilio, type ScriptedAnswer } from './helpers/fake-twilio.mjs';
import { linesOf, startLive } from './helpers/live.js';

let twilio: FakeTwilio;
let app: TestApp;
beforeAll(async () => {
  twilio = await FakeTwilio.start();
  // What the provider says of one number would stop another, if chance puts both in one range.
  app = await startLive(twilio, { SMS_BREAKER: 'off' });
});
afterAll(() => twilio.stop());

interface Row {
  answer: { status: number; code: string; retry_after?: number };
  /** Requests that Twilio gets. */
  requests?: number;
  /** Whether the text may have gone out all the same. */
  mayArrive?: boolean;
  level?: 'info' | 'warn' | 'error';
}

const INVALID = { status: 422, code: 'phone_number_invalid' };
const UNREACHABLE = { status: 422, code: 'phone_number_unreachable' };
const UNSUPPORTED = { status: 422, code: 'phone_number_unsupported' };
const UNAVAILABLE = { status: 503, code: 'sms_unavailable', retry_after: 30 };

const PAGED: Row = { answer: UNAVAILABLE, level: 'error' };
const BUSY: Row = { answer: UNAVAILABLE, requests: 2, level: 'warn' };
const TWILIO_FAILED: Row = { answer: UNAVAILABLE, requests: 2, mayArrive: true, level: 'warn' };

// The error table: each code, and HTTP's status where it is not 400.
const ROWS: [codes: number[], row: Row, status?: number][] = [
  [[21211, 21217, 21421], { answer: INVALID, level: 'info' }],
  [[21214, 21610], { answer: UNREACHABLE, level: 'info' }],
  [[21612], { answer: UNREACHABLE, level: 'error' }],
  [[21408], { answer: UNSUPPORTED, level: 'warn' }],
  [[21614, 21635], { answer: UNSUPPORTED, level: 'info' }],
  [[21608], PAGED],
  [[21606, 21659, 21660, 21212, 21603, 21701, 21702, 21703, 21704, 21705], PAGED],
  [[21602, 21605, 21617, 21604], PAGED],
  [[21611, 30001, 30022], BUSY],
  [[63018], BUSY, 429],
  [[20003], PAGED, 401],
  [[20005, 10001, 30002], PAGED],
  [[20404], PAGED, 404],
  [[20008], PAGED, 403],
  [[20429], { answer: UNAVAILABLE, requests: 4, level: 'warn' }, 429],
  [[20500], TWILIO_FAILED, 500],
  [[20503], TWILIO_FAILED, 503],
  [[30024, 30032, 30034, 30035], PAGED],
  [[30450, 60410], { answer: UNAVAILABLE, level: 'warn' }],
  [[30003, 30008, 30036, 30485, 30500], { answer: UNAVAILABLE, level: 'info' }],
  [[30004, 30005], { answer: UNREACHABLE, level: 'info' }],
  [[30006], { answer: UNSUPPORTED, level: 'info' }],
  [[30007], { answer: UNAVAILABLE, level: 'warn' }],
  [[60200, 60203, 60212, 99999], PAGED],
];

// What has no code that could be read.
const BODIES: [name: string, script: ScriptedAnswer, row: Row][] = [
  ['HTML with 500', { status: 500, html: '<h1>Internal error</h1>' }, TWILIO_FAILED],
  ['HTML with 502', { status: 502, html: '<h1>Bad gateway</h1>' }, TWILIO_FAILED],
  ['HTML with 503', { status: 503, html: '' }, TWILIO_FAILED],
  [
    '500 with a message that was made',
    { status: 500, json: { code: 20500, sid: `SM${'0c'.repeat(16)}` } },
    { ...TWILIO_FAILED, requests: 1 },
  ],
  ['HTML with 429', { status: 429, html: 'slow down' }, { answer: UNAVAILABLE, requests: 4, level: 'warn' }],
  ['HTML with 401', { status: 401, html: 'no' }, PAGED],
  ['HTML with 404', { status: 404, html: 'nothing here' }, PAGED],
  ['HTML with 400', { status: 400, html: 'bad' }, PAGED],
  ['a code that is text', { status: 400, json: { code: '21211', message: 'x' } }, PAGED],
  ['an array', { status: 400, json: [21211] }, PAGED],
  ['null', { status: 400, json: null }, PAGED],
  ['a redirect', { status: 302, html: '' }, PAGED],
  [
    '201 with HTML',
    { status: 201, html: '<h1>Welcome</h1>' },
    { answer: UNAVAILABLE, mayArrive: true, level: 'warn' },
  ],
  ['201 without sid', { status: 201, json: {} }, { answer: UNAVAILABLE, mayArrive: true, level: 'warn' }],
  ['201 with null', { status: 201, json: null }, { answer: UNAVAILABLE, mayArrive: true, level: 'warn' }],
  ['a drop after the request is read', 'drop', { answer: UNAVAILABLE, mayArrive: true, level: 'warn' }],
  ['a drop within the answer', 'cut', { answer: UNAVAILABLE, mayArrive: true, level: 'warn' }],
  [
    'a message that was made, and failed',
    { message: { status: 'failed', error_code: 30034 } },
    { answer: UNAVAILABLE, level: 'error' },
  ],
];

async function expectRow(
  script: ScriptedAnswer,
  { answer, requests = 1, mayArrive, level }: Row,
): Promise<void> {
  const phone = aPhoneNumber();
  twilio.script(phone, script);
  const before = linesOf(app).length;
  // Errors are told once a minute of each kind.
  app.clock.advance(61);
  const { challenge: code_challenge, verifier: code_verifier } = aChallenge();
  expectProblem(await app.signup(phone, { code_challenge }), {
    ...answer,
    ...('retry_after' in answer && { retry_after: answer.retry_after }),
    ...(answer.code === 'phone_number_unreachable' && { detail: expect.any(String) }),
  });
  expect(twilio.of(phone)).toHaveLength(requests);

  // A repeat is the same text.
  const bodies = new Set(twilio.of(phone).map(({ form }) => form['Body']));
  expect(bodies.size).toBe(1);
  const code = twilio.code(phone) ?? '';
  const lines = linesOf(app).slice(before);
  const told = lines.filter(({ to }) => typeof to === 'string');
  expect(told).toEqual([expect.objectContaining({ level, to: expect.stringMatching(/^\+5511\*+\d\d$/) })]);
  expect(JSON.stringify(lines)).not.toContain(phone.slice(1));
  // A time may have the same four digits.
  const words = told.map((line) => ({ ...line, time: '' }));
  expect(JSON.stringify(words)).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`));

  if (mayArrive) {
    expect((await app.signup(phone, { code_challenge })).body).toEqual(problem('otp_cooldown'));
    expect((await app.verify(phone, code, { code_verifier })).status).toBe(200);
    return;
  }
  expect((await app.verify(phone, code, { code_verifier })).status).toBe(404);
  expect(await app.sql('SELECT FROM phone_otps WHERE phone_number = $1', [phone])).toEqual([]);
  // The send was given back: there is no wait.
  twilio.script(phone, 'created');
  expect((await app.signup(phone, { code_challenge })).status).toBe(200);
  expect((await app.verify(phone, twilio.code(phone) ?? '', { code_verifier })).status).toBe(200);
}

describe('an error of Twilio', () => {
  const each = ROWS.flatMap(([codes, row, status = 400]) =>
    codes.map((code) => [code, row, status] as const),
  );

  it.each(each)('%i is answered by the table', async (code, row, status) => {
    await expectRow({ code, status }, row);
  });

  it.each(BODIES)('%s is answered by its status', async (_, script, row) => {
    await expectRow(script, row);
  });
});
