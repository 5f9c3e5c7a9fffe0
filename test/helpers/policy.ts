import { randomInt } from 'node:crypto';

import { type Answer, atOnce, aWrongCode, type TestApp } from './app.js';

/** The product's own limits, in place of the high ones of all other tests; addresses are told by a proxy. */
export const POLICY = {
  TRUST_PROXY: '1',
  SMS_BREAKER: 'off',
  PHONE_SENDS_PER_HOUR: '5',
  PHONE_SENDS_PER_DAY: '8',
  PHONE_SENDS_PER_ADDRESS_PER_DAY: '4',
  IP_UNVERIFIED_SENDS_PER_HOUR: '10',
  IP_UNVERIFIED_SENDS_PER_DAY: '30',
  IP_PENDING_SENDS: '50',
  IP_FAILURES_PER_HOUR: '15',
  IP_FAILURES_PER_DAY: '30',
  IP_COUNTRIES_PER_DAY: '3',
  SERVICE_FAILURES_PER_HOUR: '10',
  SERVICE_FAILURES_PER_DAY: '30',
};

/** The same where only numbers and addresses count: tests fail many guesses. */
export const POLICY_OF_NUMBERS = {
  ...POLICY,
  SERVICE_FAILURES_PER_HOUR: '100000',
  SERVICE_FAILURES_PER_DAY: '100000',
};

export const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];

/** An address whose network nobody else is in, most likely. */
export function anAddress(): string {
  return `10.${[0, 1, 2].map(() => randomInt(1, 255)).join('.')}`;
}

/** Somebody at an address, by default one that nobody else has. */
export class Client {
  constructor(
    private readonly app: TestApp,
    readonly address = anAddress(),
  ) {}

  /** The same, by way of another replica. */
  by(replica: TestApp): Client {
    return new Client(replica, this.address);
  }

  post(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
    return this.app.post(path, body, { 'x-forwarded-for': this.address, ...headers });
  }

  signup(phone: string, more: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.post('/api/auth/signup', { phone_number: phone, ...more }, headers);
  }

  verify(phone: string, code: string, more: object = {}): Promise<Answer> {
    return this.post('/api/auth/verify-otp', { phone_number: phone, otp_code: code, ...more });
  }

  /** Guesses wrong at the newest code of a number. */
  async fail(phone: string, times = 3, more: object = {}): Promise<void> {
    const wrong = aWrongCode(await this.app.code(phone));
    for (let guess = 0; guess < times; guess += 1) {
      const { status, body } = await this.verify(phone, wrong, more);
      if (status !== 401) throw new Error(`expected a guess to be taken: ${JSON.stringify(body)}`);
    }
  }

  /** Asks for a code and enters it. @returns what verify answered. */
  async signIn(phone: string, more: object = {}): Promise<Answer> {
    const asked = await this.signup(phone, more);
    if (asked.status !== 200) throw new Error(`expected a code: ${JSON.stringify(asked.body)}`);
    const answer = await this.verify(phone, await this.app.code(phone));
    if (answer.status !== 200) throw new Error(`expected a session: ${JSON.stringify(answer.body)}`);
    return answer;
  }
}

/** What is counted of a number is kept under these. */
export async function phoneKeysOf(app: TestApp, phone: string): Promise<Buffer[]> {
  const keys = await app.started.provider<LimitKeysInTests>('otp/limits/limit-keys.js', 'LimitKeys');
  return keys.ofPhone(phone);
}

/** What the counts of an address are kept under. */
export async function keysOf(
  app: TestApp,
  { address }: Client,
): Promise<{ address: string; network: string }> {
  const keys = await app.started.provider<LimitKeysInTests>('otp/limits/limit-keys.js', 'LimitKeys');
  return keys.ofAddress(address);
}

interface LimitKeysInTests {
  ofPhone(phoneNumber: string): Buffer[];
  ofAddress(ip: string): { address: string; network: string };
}

/** What is counted of failed guesses of the last hour, which the purge leaves alone. */
export async function failureCounts(app: TestApp): Promise<Record<string, number>> {
  const rows = await app.sql<{ name: string; count: number }>(
    `SELECT 'numbers' AS name, count(*)::integer AS count FROM phone_failures
     WHERE failed_at > $1::timestamptz - interval '1 hour'
     UNION ALL
     SELECT scope, sum(failures)::integer FROM send_counters
     WHERE span = 1 AND starts_at > $1::timestamptz - interval '1 hour' GROUP BY scope`,
    [app.clock.now()],
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/** How many more there are of each once `work` is done; those of which there are not are left out. */
export async function failuresOf(
  app: TestApp,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const before = await failureCounts(app);
  await work();
  const more = Object.entries(await failureCounts(app)).map(([name, count]) => [
    name,
    count - (before[name] ?? 0),
  ]);
  return Object.fromEntries(more.filter(([, count]) => count !== 0));
}

/** Wrong guesses of two replicas at the newest code of a number, all at once. */
export async function wrongGuessesAtOnce(
  apps: readonly TestApp[],
  phone: string,
  count: number,
): Promise<Answer[]> {
  const [app] = apps as [TestApp];
  const wrong = aWrongCode(await app.code(phone));
  const clients = apps.map((each) => new Client(each));
  return atOnce(count, (index) => clients[index % clients.length]!.verify(phone, wrong));
}

/** What so many people leave behind who have each asked for codes from two addresses, and guessed wrong. */
export async function countPeople(app: TestApp, people: number): Promise<void> {
  const values = [app.clock.now(), people];
  const [phoneKey, time] = [
    `decode('ff' || lpad(to_hex(n), 62, '0'), 'hex')`,
    `$1::timestamptz - n * interval '20 seconds'`,
  ];
  await app.sql(
    `INSERT INTO phone_limits (phone_key, last_send_id, keep_until)
     SELECT ${phoneKey}, gen_random_uuid(), ${time} + interval '1 day' FROM generate_series(1, $2::integer) AS n`,
    values,
  );
  await app.sql(
    `INSERT INTO phone_failures (id, phone_key, failed_at, address_key, network_key, country, code_length)
     SELECT gen_random_uuid(), ${phoneKey}, ${time}, n::text, n::text, 'BR', 4
     FROM generate_series(1, $2::integer) AS n`,
    values,
  );
  await app.sql(
    `INSERT INTO send_counters (scope, key, span, starts_at, country, sends)
     SELECT scope, n::text, span, date_trunc('hour', ${time}), 'BR', 1
     FROM generate_series(1, $2::integer) AS n, (VALUES ('address'), ('network')) AS s (scope),
          (VALUES (1), (60)) AS m (span)`,
    values,
  );
  await app.sql('ANALYZE phone_limits, phone_failures, send_counters');
}
