import { randomInt } from 'node:crypto';

import { aPhoneNumber, type Answer, atOnce, expectProblem, tally, TestApp } from './helpers/app.js';
import { aStoppedClock, breakerRow, countSends } from './helpers/breakers.js';

const MINUTE = 60;

let app: TestApp;
let other: TestApp;
const BEHIND_PROXY = { TRUST_PROXY: '1' };
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock(), env: BEHIND_PROXY });
  other = await app.replica({ env: BEHIND_PROXY });
  // A country where many sign in: a range of it is no more than a range.
  await countSends(app, 'country:BR', { minutesAgo: 5 * 60, verified: 5000 });
});

/** A code for a number, asked for from an address that nobody else has. */
function signup(phone: string, on = app): Promise<Answer> {
  const address = `2001:db8:${[0, 1, 2].map(() => randomInt(0xffff).toString(16)).join(':')}::1`;
  return on.post('/api/auth/signup', { phone_number: phone }, { 'x-forwarded-for': address });
}

/** The numbers of a range of ten thousand that no other test has, one after the other. */
function aRange(): { prefix: string; scope: string; next: () => string } {
  const prefix = aPhoneNumber().slice(0, -4);
  let count = randomInt(5000);
  return {
    prefix,
    scope: `prefix:${prefix}`,
    next: () => `${prefix}${String((count += 1)).padStart(4, '0')}`,
  };
}

/** A range whose numbers are texted to, without anybody who enters a code, until its breaker has come to open. */
async function aPumpedRange(): Promise<ReturnType<typeof aRange>> {
  const range = aRange();
  expect(tally(await atOnce(11, () => signup(range.next())))).toEqual({ 200: 11 });
  app.clock.advance(12 * MINUTE);
  return range;
}

const sendsOf = (prefix: string) =>
  app.sql<{ trickle_of: string | null; decision: Record<string, unknown> }>(
    'SELECT trickle_of, decision FROM phone_sends WHERE prefix = $1 ORDER BY id DESC',
    [prefix],
  );

describe('POST /api/auth/signup, for numbers that are pumped', () => {
  it('sends one more, and then says when to come back', async () => {
    const range = await aPumpedRange();
    expect((await signup(range.next())).status).toBe(200);
    const refused = await signup(range.next());
    expectProblem(refused, { status: 503, code: 'sms_unavailable', retry_after: 300 });
    expect(refused.headers.get('retry-after')).toBe('300');
    app.clock.advance(5 * MINUTE);
    expect((await signup(range.next())).status).toBe(200);
  });

  it('keeps why with each send', async () => {
    const range = await aPumpedRange();
    await signup(range.next());
    const [newest, before] = await sendsOf(range.prefix);
    expect(newest).toMatchObject({
      trickle_of: range.scope,
      decision: { breaker: { scope: range.scope, outcome: 'trickle', rule: 'hour', used: 11, limit: 10 } },
    });
    expect(before).toMatchObject({ trickle_of: null });
    expect(before?.decision).not.toHaveProperty('breaker');
  });

  it('texts to whoever has signed in before, on any device, all the while', async () => {
    const range = aRange();
    const ana = range.next();
    await app.signIn(ana);
    app.clock.advance(MINUTE);
    await atOnce(12, () => signup(range.next()));
    app.clock.advance(12 * MINUTE);
    await signup(range.next());
    expect((await signup(range.next())).status).toBe(503);
    expect((await signup(ana)).status).toBe(200);
    app.clock.advance(MINUTE);
    expect((await signup(ana, other)).status).toBe(200);
  });

  it('sends one text for forty at once on two replicas, and uses no budget of the others', async () => {
    const range = await aPumpedRange();
    const phones = Array.from({ length: 40 }, () => range.next());
    const answers = await atOnce(40, (index) => signup(phones[index]!, index % 2 ? app : other));
    expect(tally(answers)).toEqual({ 200: 1, 503: 39 });
    expect(await sendsOf(range.prefix)).toHaveLength(12);
    const { trips } = (await breakerRow(app, range.scope)) ?? {};
    expect(trips).toBe(1);
    // Whoever was refused has no wait: the breaker's turn is all that there is to wait for.
    app.clock.advance(5 * MINUTE);
    const refused = phones.filter((_, index) => answers[index]?.status === 503);
    expect((await signup(refused[0]!)).status).toBe(200);
  });

  it('is open again to all once people enter their codes', async () => {
    const range = await aPumpedRange();
    for (let turn = 0; turn < 3; turn += 1) {
      const phone = range.next();
      expect((await signup(phone)).status).toBe(200);
      expect((await signup(range.next())).status).toBe(503);
      expect((await app.verify(phone, await app.code(phone))).status).toBe(200);
      app.clock.advance(5 * MINUTE);
    }
    expect(tally(await atOnce(5, () => signup(range.next())))).toEqual({ 200: 5 });
    expect(await breakerRow(app, range.scope)).toMatchObject({ opened_at: null });
  });

  it('goes on by SMS_BREAKER=record, and keeps what it would have done', async () => {
    const recording = await app.replica({ env: { ...BEHIND_PROXY, SMS_BREAKER: 'record' } });
    const range = await aPumpedRange();
    expect(tally(await atOnce(10, () => signup(range.next(), recording)))).toEqual({ 200: 10 });
    const sends = await sendsOf(range.prefix);
    const outcomes = sends.map(
      ({ decision }) => (decision['breaker'] as { outcome?: string } | undefined)?.outcome,
    );
    expect(outcomes.filter((outcome) => outcome === 'would_refuse')).toHaveLength(9);
    expect(outcomes.filter((outcome) => outcome === 'trickle')).toHaveLength(1);
    await recording.started.close();
  });
});
