import { aPhoneNumber, atOnce, harness, TestApp } from './helpers/app.js';
import { aStoppedClock } from './helpers/breakers.js';
import {
  anAddress,
  Client,
  DAY,
  failuresOf,
  HOUR,
  keysOf,
  MINUTE,
  POLICY_OF_NUMBERS as env,
} from './helpers/policy.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ clock: aStoppedClock(), env });
});

async function lengthFrom(client: Client): Promise<number> {
  const { status, body } = await client.signup(aPhoneNumber());
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.code_length;
}

/** Codes that were asked for from an address and are neither pending nor entered, and guesses from it that failed. */
async function countsOf(client: Client): Promise<{ unused: number; failures: number }> {
  const { address } = await keysOf(app, client);
  const [row] = await app.sql<{ unused: number; failures: number }>(
    `SELECT coalesce(sum(sends - verified), 0)::integer AS unused, coalesce(sum(failures), 0)::integer AS failures
     FROM send_counters WHERE scope = 'address' AND span = 60 AND key = $1`,
    [address],
  );
  return row ?? { unused: 0, failures: 0 };
}

describe('an address is forgiven', () => {
  it('what a number asked for and failed, once that number signs in from it', async () => {
    const [home, phone] = [new Client(app), aPhoneNumber()];
    await home.signup(phone);
    await home.fail(phone, 2);
    app.clock.advance(HOUR);
    await home.signup(phone);
    expect(await countsOf(home)).toEqual({ unused: 2, failures: 2 });
    await home.verify(phone, await app.code(phone));
    expect(await countsOf(home)).toEqual({ unused: 0, failures: 0 });
  });

  it('once, and no more than there was, however often the number signs in', async () => {
    const [home, phone] = [new Client(app), aPhoneNumber()];
    await home.signup(phone);
    await home.fail(phone, 1);
    for (let time = 0; time < 3; time += 1) {
      app.clock.advance(MINUTE);
      await home.signIn(phone);
      expect(await countsOf(home)).toEqual({ unused: 0, failures: 0 });
    }
  });

  it('nothing by a number of its own', async () => {
    const pest = new Client(app);
    for (let victim = 0; victim < 6; victim += 1) {
      const phone = aPhoneNumber();
      await pest.signup(phone);
      await pest.fail(phone);
    }
    const own = aPhoneNumber();
    for (let time = 0; time < 3; time += 1) {
      await pest.signIn(own);
      app.clock.advance(MINUTE);
    }
    expect(await countsOf(pest)).toEqual({ unused: 6, failures: 18 });
    expect(await lengthFrom(pest)).toBe(6);
  });

  it('nothing by the victim, who signs in from elsewhere', async () => {
    const [pest, phone] = [new Client(app), aPhoneNumber()];
    await pest.signup(phone);
    await pest.fail(phone);
    app.clock.advance(MINUTE);
    const victim = new Client(app);
    await victim.signIn(phone);
    expect([await countsOf(pest), await countsOf(victim)]).toEqual([
      { unused: 1, failures: 3 },
      { unused: 0, failures: 0 },
    ]);
  });

  it('nothing that is a day old', async () => {
    const [home, phone] = [new Client(app), aPhoneNumber()];
    await home.signup(phone);
    await home.fail(phone, 1);
    app.clock.advance(DAY);
    await home.signIn(phone);
    expect(await countsOf(home)).toEqual({ unused: 1, failures: 1 });
  });

  it('nothing more by the right code of a number of its own, sent many times at once', async () => {
    const [pest, own] = [new Client(app), aPhoneNumber()];
    for (let time = 0; time < 3; time += 1) {
      await pest.signup(own);
      const code = await app.code(own);
      await atOnce(10, () => pest.verify(own, code));
      app.clock.advance(MINUTE);
    }
    expect(await countsOf(pest)).toEqual({ unused: 0, failures: 0 });
  });
});

describe('an address', () => {
  const fail = (client: Client) => atOnce(16, () => client.verify(aPhoneNumber(), '1234'));

  it('of IPv6 is a network of /64', async () => {
    const site = `2001:db8:${anAddress().split('.')[1]}`;
    await fail(new Client(app, `${site}:1::1`));
    expect(await lengthFrom(new Client(app, `${site}:1:ffff:1:2:3`))).toBe(6);
    expect(await lengthFrom(new Client(app, `${site}:2::1`))).toBe(4);
  });

  it('of IPv4 is the same where it is mapped into IPv6', async () => {
    const address = anAddress();
    await fail(new Client(app, address));
    expect(await lengthFrom(new Client(app, `::ffff:${address}`))).toBe(6);
  });

  it('is not what X-Forwarded-For says, unless TRUST_PROXY does', async () => {
    const untold = { ...env, TRUST_PROXY: '' };
    const direct = await TestApp.start({ database: await harness.database(), env: untold, clock: app.clock });
    expect(await failuresOf(direct, () => fail(new Client(direct)))).toEqual({ address: 16, network: 16 });
    expect(await lengthFrom(new Client(direct))).toBe(6);
  });
});
