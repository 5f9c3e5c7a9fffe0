import { aPhoneNumber, type Answer, atOnce, expectProblem, harness, tally, TestApp } from './helpers/app.js';
import { aStoppedClock } from './helpers/breakers.js';
import {
  anAddress,
  Client,
  DAY,
  failureCounts,
  keysOf,
  HOUR,
  MINUTE,
  POLICY_OF_NUMBERS as env,
} from './helpers/policy.js';

let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock(), env });
  other = await app.replica({ env });
});

function expectLimited(answer: Answer, retryAfter: number): void {
  expectProblem(answer, { status: 429, code: 'rate_limited', retry_after: retryAfter });
  expect(answer.headers.get('retry-after')).toBe(String(retryAfter));
}

/** Codes for so many numbers, which nobody enters. @returns how long they are. */
async function leave(client: Client, codes: number): Promise<number[]> {
  const answers = await atOnce(codes, () => client.signup(aPhoneNumber()));
  expect(tally(answers)).toEqual({ 200: codes });
  return answers.map(({ body }) => body.code_length);
}

async function lengthFrom(client: Client): Promise<number> {
  const { status, body } = await client.signup(aPhoneNumber());
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.code_length;
}

/** Guesses that fail, three at a number, which others have asked for. */
async function failOften(client: Client, guesses: number): Promise<void> {
  await atOnce(Math.ceil(guesses / 3), async (index) => {
    const phone = aPhoneNumber();
    expect((await new Client(app).signup(phone)).status).toBe(200);
    await client.fail(phone, Math.min(3, guesses - 3 * index));
  });
}

/** A code that an address asks for, and with it what many others there have done in the same minute. */
async function askAmong(client: Client, more: Record<string, number>): Promise<void> {
  expect((await client.signup(aPhoneNumber())).status).toBe(200);
  const { address, network } = await keysOf(app, client);
  const sets = Object.entries(more).map(([column, count]) => `${column} = ${column} + ${count}`);
  await app.sql(`UPDATE send_counters SET ${sets.join(', ')} WHERE key IN ($1, $2)`, [address, network]);
}

describe('codes under way for one address', () => {
  it('are fifty, though sixty are asked for at once on two replicas', async () => {
    const client = new Client(app);
    const answers = await atOnce(60, (index) => client.by(index % 2 ? app : other).signup(aPhoneNumber()));
    expect(tally(answers)).toEqual({ 200: 50, 429: 10 });
    expectLimited(answers.find(({ status }) => status === 429) as Answer, 2);
    expect((await new Client(app).signup(aPhoneNumber())).status).toBe(200);
  });

  it('are fifty, of a hundred and fifty that two replicas look at all at once', async () => {
    // By a clock that goes: each has a time of its own.
    const busy = { env: { ...env, DATABASE_POOL_SIZE: '60' }, database: await harness.database() };
    const replicas = [await TestApp.start(busy), await TestApp.start(busy)] as const;
    // Their connections are open, so that all of them are judged before any is written.
    await atOnce(120, (index) => new Client(replicas[index % 2]!).signup(aPhoneNumber()));
    for (let round = 0; round < 3; round += 1) {
      const client = new Client(replicas[0]);
      const answers = await atOnce(150, (index) => client.by(replicas[index % 2]!).signup(aPhoneNumber()));
      expect(tally(answers)).toEqual({ 200: 50, 429: 100 });
    }
  });

  it('make room as soon as they are entered', async () => {
    const client = new Client(app);
    const phones = Array.from({ length: 50 }, aPhoneNumber);
    await atOnce(50, (index) => client.signup(phones[index] ?? ''));
    expect((await client.signup(aPhoneNumber())).status).toBe(429);
    const phone = phones[0] ?? '';
    expect((await client.verify(phone, await app.code(phone))).status).toBe(200);
    expect((await client.signup(aPhoneNumber())).status).toBe(200);
    expect((await client.signup(aPhoneNumber())).status).toBe(429);
  });

  it('are twice the numbers that signed in from it within a day', async () => {
    const client = new Client(app);
    await askAmong(client, { sign_ins: 30, sends: 58 });
    expect((await client.signup(aPhoneNumber())).status).toBe(200);
    expectLimited(await client.signup(aPhoneNumber()), 2);
  });
});

describe('whoever waits for an address', () => {
  /** An address with fifty codes under way, one of which `enterOne` enters each time. */
  async function aBusyAddress() {
    const client = new Client(app);
    const phones = Array.from({ length: 50 }, aPhoneNumber);
    await atOnce(50, (index) => client.signup(phones[index] ?? ''));
    const enterOne = async () => {
      const phone = phones.pop() ?? '';
      expect((await client.verify(phone, await app.code(phone))).status).toBe(200);
    };
    const isRefused = async (phone: string, by = app) => (await client.by(by).signup(phone)).status === 429;
    /** Asks, and asks again when told to. */
    const wait = async (phone: string) => {
      expect(await isRefused(phone)).toBe(true);
      app.clock.advance(2);
      expect(await isRefused(phone)).toBe(true);
    };
    return { client, enterOne, isRefused, wait };
  }

  it('goes before who comes, on any replica', async () => {
    const { enterOne, isRefused, wait } = await aBusyAddress();
    const [first, second, third] = [aPhoneNumber(), aPhoneNumber(), aPhoneNumber()];
    await wait(first);
    await wait(second);
    await enterOne();
    expect([await isRefused(third, other), await isRefused(second), await isRefused(first, other)]).toEqual([
      true,
      true,
      false,
    ]);
    await enterOne();
    expect([await isRefused(third), await isRefused(second, other)]).toEqual([true, false]);
  });

  it('is told to come back later the more are before it', async () => {
    const { client } = await aBusyAddress();
    const phones = Array.from({ length: 20 }, aPhoneNumber);
    const askAll = () => atOnce(20, (index) => client.signup(phones[index] ?? ''));
    await askAll();
    expectLimited(await client.signup(aPhoneNumber()), 2);
    app.clock.advance(2);
    await askAll();
    const last = await client.signup(aPhoneNumber());
    expectLimited(last, 3);
    expect(last.body.detail).toBe('Many people sign in from this address right now.');
  });

  it('holds up nobody who has not come back, or no longer does', async () => {
    const { enterOne, isRefused, wait } = await aBusyAddress();
    const [once, gone, next] = [aPhoneNumber(), aPhoneNumber(), aPhoneNumber()];
    expect(await isRefused(once)).toBe(true);
    await enterOne();
    expect(await isRefused(next)).toBe(false);
    await wait(gone);
    await enterOne();
    app.clock.advance(5);
    expect(await isRefused(aPhoneNumber())).toBe(false);
  });

  it('has the same place when it comes back within five minutes', async () => {
    const { enterOne, isRefused, wait } = await aBusyAddress();
    const [late, punctual] = [aPhoneNumber(), aPhoneNumber()];
    await wait(late);
    app.clock.advance(MINUTE);
    await wait(punctual);
    await enterOne();
    expect([await isRefused(late), await isRefused(punctual)]).toEqual([false, true]);
  });

  it('holds up nobody once all of them fit', async () => {
    const { client, enterOne } = await aBusyAddress();
    const phones = Array.from({ length: 60 }, aPhoneNumber);
    const askAll = async () => {
      const answers: Answer[] = [];
      for (const phone of phones) {
        answers.push(await client.signup(phone));
        app.clock.advance(0.01);
      }
      return tally(answers);
    };
    expect(await askAll()).toEqual({ 429: 60 });
    app.clock.advance(2);
    expect(await askAll()).toEqual({ 429: 60 });
    for (let entered = 0; entered < 50; entered += 1) await enterOne();
    expect(await askAll()).toEqual({ 200: 60 });
  });

  it('is not in the queue any more once it has its code', async () => {
    const { enterOne, isRefused, wait } = await aBusyAddress();
    const phone = aPhoneNumber();
    await wait(phone);
    await enterOne();
    expect(await isRefused(phone)).toBe(false);
    await enterOne();
    expect(await isRefused(aPhoneNumber())).toBe(false);
    const [{ count }] = (await app.sql<{ count: number }>(
      'SELECT count(*)::integer AS count FROM address_waits WHERE has_returned',
    )) as [{ count: number }];
    expect(count).toBeGreaterThan(0);
    app.clock.advance(6 * MINUTE);
    await app.runJob('limits-purge');
    expect(await app.sql('SELECT FROM address_waits')).toEqual([]);
  });
});

describe('codes of one address that nobody enters', () => {
  it('lengthen the next past ten an hour, and stop it past thirty', async () => {
    const client = new Client(app);
    await leave(client, 10);
    app.clock.advance(6 * MINUTE);
    expect(await lengthFrom(client)).toBe(4);
    app.clock.advance(6 * MINUTE);
    expect(await leave(client, 19)).toEqual(Array(19).fill(6));
    app.clock.advance(6 * MINUTE);
    expect(await lengthFrom(client)).toBe(6);
    app.clock.advance(6 * MINUTE);
    expectLimited(await client.signup(aPhoneNumber()), 300);
    app.clock.advance(HOUR);
    // Of the day they are thirty-one.
    expect(await lengthFrom(client)).toBe(6);
  });

  it('lengthen the next past thirty a day, and stop it past ninety', async () => {
    const client = new Client(app);
    for (const codes of [30, 30, 30]) {
      await leave(client, codes);
      app.clock.advance(2 * HOUR);
    }
    expect(await lengthFrom(client)).toBe(6);
    app.clock.advance(HOUR);
    expectLimited(await client.signup(aPhoneNumber()), 3600);
    app.clock.advance(DAY);
    expect(await lengthFrom(client)).toBe(4);
  });

  it('are a share of all of its codes, where there are many', async () => {
    const lengthAmong = async (sends: number, unverified: number) => {
      const client = new Client(app);
      await askAmong(client, { sends: sends - 1, verified: sends - unverified });
      app.clock.advance(6 * MINUTE);
      return (await client.signup(aPhoneNumber())).body.code_length;
    };
    expect(await lengthAmong(100, 30)).toBe(4);
    expect(await lengthAmong(100, 31)).toBe(6);
    expect(await lengthAmong(100, 50)).toBe(6);
    expect(await lengthAmong(100, 51)).toBeUndefined();
  });

  it('count five times as many for a network', async () => {
    const network = anAddress().replace(/\d+$/, '');
    const from = (host: number) => new Client(app, `${network}${host}`);
    for (let host = 1; host <= 5; host += 1) await leave(from(host), 10);
    app.clock.advance(6 * MINUTE);
    expect(await lengthFrom(from(6))).toBe(4);
    app.clock.advance(6 * MINUTE);
    expect(await lengthFrom(from(7))).toBe(6);
    expect(await lengthFrom(new Client(app))).toBe(4);
  });

  it('may go to three countries', async () => {
    const client = new Client(app);
    const to = (start: string, digits: number) => start + aPhoneNumber().slice(-digits);
    const phones = [aPhoneNumber(), to('+3519123', 5), to('+1415555', 4), to('+3712123', 4)];
    for (const phone of phones.slice(0, 3)) {
      expect((await client.signup(phone)).status).toBe(200);
    }
    app.clock.advance(6 * MINUTE);
    expectLimited(await client.signup(phones[3] ?? ''), 3600);
    expect((await client.signup(aPhoneNumber())).status).toBe(200);
    expect((await new Client(app).signup(phones[3] ?? '')).status).toBe(200);
  });
});

describe('failed guesses of one address', () => {
  it('lengthen the codes that it asks for past fifteen an hour, and past three times as many', async () => {
    const client = new Client(app);
    await failOften(client, 15);
    expect(await lengthFrom(client)).toBe(4);
    await failOften(client, 1);
    expect(await lengthFrom(client)).toBe(6);
    await failOften(client, 29);
    expect(await lengthFrom(client)).toBe(6);
    await failOften(client, 1);
    expect(await lengthFrom(client)).toBe(8);
    expect(await lengthFrom(new Client(app))).toBe(4);
  });

  it('end guesses and codes past ten times as many, on every replica', async () => {
    const client = new Client(app);
    const phone = aPhoneNumber();
    await new Client(app).signup(phone);
    await askAmong(client, { failures: 149 });
    await client.fail(phone, 2);
    const code = await app.code(phone);
    for (const replica of [app, other]) {
      expectLimited(await client.by(replica).verify(phone, code), 300);
      expectLimited(await client.by(replica).signup(aPhoneNumber()), 300);
    }
    expect((await new Client(app).verify(phone, code)).status).toBe(200);
  });

  it('are guesses at codes that are not there, too', async () => {
    const client = new Client(app);
    await atOnce(16, async () => {
      expect((await client.verify(aPhoneNumber(), '1234')).status).toBe(404);
    });
    expect(await lengthFrom(client)).toBe(6);
  });

  it('are no right ones that were sent twice', async () => {
    const [client, phone] = [new Client(app), aPhoneNumber()];
    await client.signIn(phone);
    const code = await app.code(phone);
    const before = await failureCounts(app);
    await atOnce(20, async () => {
      expect((await client.verify(phone, code)).status).toBe(404);
    });
    expect(await failureCounts(app)).toEqual(before);
    // From elsewhere they are looks at somebody's codes.
    await new Client(app).verify(phone, code);
    expect(await failureCounts(app)).toMatchObject({ address: (before.address ?? 0) + 1 });
  });
});
