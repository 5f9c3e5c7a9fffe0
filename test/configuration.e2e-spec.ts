import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { aPhoneNumber, harness, TestApp } from './helpers/app.js';
import {
  comparable,
  type Configuration,
  configuration,
  type Environment,
  type Slice,
} from './helpers/configuration.js';
import { moduleSpy, run, serve, type ServerProcess } from './helpers/server-process.js';

const ROOT = new URL('..', import.meta.url);
const SECRET = 'a-secret-for-tests-and-for-nothing-else';
const PRODUCTION = { NODE_ENV: 'production', APP_SECRET: SECRET, SMS_MODE: 'test' };

// For every variable that is not a whole number: what it refuses.
const REFUSED: Record<string, string[]> = {
  NODE_ENV: ['x'.repeat(2001)],
  HOST: ['x'.repeat(2001)],
  PUBLIC_URL: ['localhost', 'ftp://example.com', 'https://', '//example.com', 'javascript:alert(1)'],
  TRUST_PROXY: ['everybody', '11', '10.0.0.0/33', '::1/129', '10.0.0.1,somebody', '1.2.3', '10.0.0.0/8/8'],
  CORS_ORIGINS: ['app.example.com', 'https://app.example.com/', 'https://a.example,*', 'null'],
  DOCS: ['true', 'ON', 'enabled'],
  DATABASE_URL: ['localhost', 'mysql://localhost/latchkey', 'http://localhost', 'postgres://'],
  DATABASE_MIGRATION_URL: ['localhost', 'mysql://localhost/latchkey'],
  MIGRATE_ON_BOOT: ['yes', '1', 'TRUE'],
  EMBEDDED_DATABASE_DIR: ['x'.repeat(2001)],
  APP_SECRET: ['short', 'x'.repeat(31), `${SECRET},short`],
  SMS_MODE: ['off', 'TEST', 'production'],
  TWILIO_ACCOUNT_SID: ['AC123', `SK${'0'.repeat(32)}`, `AC${'G'.repeat(32)}`, `AC${'0'.repeat(33)}`],
  TWILIO_AUTH_TOKEN: ['two words', 'schlüssel', 'good,not good'],
  TWILIO_API_KEY: ['SK123', `AC${'0'.repeat(32)}`],
  TWILIO_API_SECRET: ['two words', 'two\nlines', 'x'.repeat(2001)],
  TWILIO_MESSAGING_SERVICE_SID: ['MG123', `AC${'0'.repeat(32)}`, '+14155552671'],
  TWILIO_FROM_NUMBER: ['4155552671', '+0123456789', '12', 'a name too long', 'Ünïcode', 'app!'],
  TWILIO_API_BASE_URL: [
    'api.twilio.com',
    'ftp://api.twilio.com',
    'https://key:secret@api.twilio.com',
    'https://api.twilio.com/?edge=dublin',
  ],
  SMS_APP_NAME: ['Ünïcode', 'x'.repeat(31), 'two\nlines', '{app}', 'Club 1984', 'Example.com'],
  SMS_DOMAIN: ['https://example.com', 'example.com:3000', 'example.com/path', 'Example.com', 'x'.repeat(64)],
  SMS_ANDROID_APP_HASHES: [
    'FA+9qCX9VSu',
    'android=short',
    'Android=FA+9qCX9VSu',
    'android=FA+9qCX9VSu,other',
  ],
  SMS_TEMPLATES_DIR: ['x'.repeat(2001)],
  OTP_REQUIRE_CHALLENGE: ['yes', '0'],
  OTP_ESCALATION: ['true', 'ON'],
  SMS_ALLOWED_COUNTRIES: ['br', 'BRA', 'ZZ', 'BR;PT', 'BR,Portugal'],
  SMS_BREAKER: ['ON', 'true', 'dry-run'],
  OTP_TEST_NUMBERS: [
    '1234',
    '+15555550100=1234',
    '+15555550100=123@2027-01-31',
    '+15555550100=1234@2027-02-30',
    '15555550100=1234@2027-01-31',
    '=1234@2027-01-31',
  ],
  TOKEN_ISSUER: ['x'.repeat(2001)],
  TOKEN_AUDIENCE: ['x'.repeat(2001)],
  ADMIN_ALLOWED_IPS: [
    'everywhere',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.0/8/8',
    '10.0.0.1;10.0.0.2',
    '10.0.0.0/',
  ],
  LOG_LEVEL: ['loud', 'INFO'],
  METRICS_TOKEN: ['x'.repeat(15), 'a token with spaces', 'schlüssel-zu-den-zahlen', 'x'.repeat(2001)],
  STORAGE_DRIVER: ['tape', 'DISK'],
  STORAGE_DIR: ['x'.repeat(2001)],
  S3_BUCKET: ['ab', 'Pictures', 'pictures/of/users', '-pictures', 'x'.repeat(64), 's3://pictures'],
  S3_REGION: ['EU', 'eu central 1', 'eu_central_1', 'x'.repeat(41)],
  S3_ENDPOINT: [
    'localhost:9000',
    's3://pictures',
    'https://',
    'https://key:secret@s3.example.com',
    'https://s3.example.com/?region=eu',
    'https://s3.example.com/#eu',
  ],
  S3_ACCESS_KEY_ID: ['two words', 'two\nlines', 'schlüssel', 'x'.repeat(2001)],
  S3_SECRET_ACCESS_KEY: ['two words', 'two\nlines', 'schlüssel', 'x'.repeat(2001)],
  S3_PUBLIC_BASE_URL: ['cdn.example.com', '/pictures', 'https://cdn.example.com/?file=', 'ftp://example.com'],
};

const NO_NUMBERS = '-1|1.5|1e1|0x5| 5|5 |+5|５|five|NaN|Infinity'.split('|');

let slices: Slice[];
let load: (environment: Environment) => Configuration;
let faultsOf: (environment: Environment) => string[];
let directory: string;
const servers: ServerProcess[] = [];
beforeAll(async () => {
  ({ slices, load, faultsOf } = await configuration());
  directory = await mkdtemp(join(tmpdir(), 'latchkey-configuration-'));
});

afterAll(async () => {
  for (const { child } of servers) child.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

describe('node dist/main.js', () => {
  const runWith = (environment: Environment) => run({ environment, directory });
  const serveWith = async (environment: Environment, flags: string[] = []) => {
    const server = await serve({ environment, directory, flags });
    servers.push(server);
    return server;
  };

  it('says in one error what is bad and what is missing, by name and rule and never by value, and exits', async () => {
    const { code, stdout, stderr } = await runWith({
      NODE_ENV: 'production',
      PORT: 'http-alternate',
      OTP_LENGTH: '3',
      APP_SECRET: 'hunter2hunter2',
      PUBLIC_URL: 'gopher://example.com',
    });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toEqual([
      'The configuration has 6 faults:',
      '  - PORT must be a whole number from 0 to 65535',
      '  - PUBLIC_URL must be a URL that starts with http:// or https://',
      expect.stringMatching(/^ {2}- DATABASE_URL must be set in production/),
      expect.stringMatching(/^ {2}- APP_SECRET must be at least 32 characters/),
      '  - SMS_MODE must be set in production',
      '  - OTP_LENGTH must be a whole number from 4 to 8',
      expect.stringContaining('.env.example'),
    ]);
    expect(stderr).not.toMatch(/http-alternate|hunter2|gopher:\/\/e/);
  });

  it('wants a database, a secret and a way to text in production', async () => {
    const { code, stderr } = await runWith({ NODE_ENV: 'production' });
    expect(code).toBe(1);
    expect(namesIn(stderr)).toEqual(['DATABASE_URL', 'APP_SECRET', 'SMS_MODE']);
    expect(existsSync(join(directory, '.latchkey'))).toBe(false);
  });

  it('does not start without DATABASE_URL in production, whatever else is set', async () => {
    const { code, stderr } = await runWith({
      ...PRODUCTION,
      DATABASE_URL: '',
      EMBEDDED_DATABASE_DIR: directory,
    });
    expect(code).toBe(1);
    expect(namesIn(stderr)).toEqual(['DATABASE_URL']);
  });

  it('says on which port it listens when it picks one, and stops on SIGTERM', async () => {
    const { child, output, url } = await serveWith({
      DATABASE_URL: await harness.database(),
      APP_SECRET: SECRET,
    });
    expect(output()).toMatch(/Latchkey serves after \d+\.\d s/);
    expect(Number(new URL(url).port)).toBeGreaterThan(0);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });

  it('stops on SIGINT', async () => {
    const { child } = await serveWith({ DATABASE_URL: await harness.database(), APP_SECRET: SECRET });
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('says that its port is taken, and exits', async () => {
    const database = { DATABASE_URL: await harness.database(), APP_SECRET: SECRET };
    const { url } = await serveWith(database);
    const { code, stderr } = await runWith({ ...database, PORT: new URL(url).port });
    expect(code).toBe(1);
    expect(stderr).toContain('EADDRINUSE');
  });

  it('serves in production from DATABASE_URL without loading the embedded database', async () => {
    const environment = { ...PRODUCTION, DATABASE_URL: await harness.database(), HOST: '127.0.0.1' };
    const { child, output, url } = await serveWith(environment, ['--import', moduleSpy()]);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect((await fetch(`${url}/docs`)).status).toBe(404);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    const loaded = output()
      .split('\n')
      .filter((line) => line.startsWith('loaded '));
    expect(loaded.some((line) => line.endsWith('/dist/platform/database/open-database.js'))).toBe(true);
    expect(loaded.filter((line) => /embedded/.test(line))).toEqual([]);
  });
});

describe('a variable', () => {
  const isNumber = (bounds = '') => /from (\d+) to (\d+)/.exec(bounds);
  const variables = () => slices.flatMap((slice) => Object.entries(slice.variables));

  it('has a row of what it refuses here, if it is no whole number', () => {
    const names = variables()
      .filter(([, { notes }]) => !isNumber(notes.bounds))
      .map(([name]) => name);
    expect(Object.keys(REFUSED).sort()).toEqual(names.sort());
  });

  it.each(Object.entries(REFUSED))(
    '%s is refused by its name, in the same words whatever its value',
    (name, values) => {
      const [rule] = faultsOf({ [name]: values[0]! });
      expect(rule).toEqual(expect.stringMatching(`^${name} must be `));
      for (const value of values)
        expect({ value, faults: faultsOf({ [name]: value }) }).toEqual({ value, faults: [rule] });
    },
  );

  it('that is a whole number keeps its bounds', () => {
    const numbers = variables().filter(([, { notes }]) => isNumber(notes.bounds));
    expect(numbers.length).toBeGreaterThan(5);
    for (const [name, { notes }] of numbers) {
      const [, min = '', max = ''] = isNumber(notes.bounds) ?? [];
      for (const value of [min, max]) expect(faultsOf({ [name]: value })).toEqual([]);
      const outside = [String(Number(min) - 1), String(Number(max) + 1), '99999999999999999999'];
      for (const value of [...outside, ...NO_NUMBERS]) {
        const faults = [`${name} must be a whole number from ${min} to ${max}`];
        expect({ value, faults: faultsOf({ [name]: value }) }).toEqual({ value, faults });
      }
    }
  });

  it('that is empty is not set', () => {
    const empty = Object.fromEntries(
      variables().flatMap(([name]) => [
        [name, ''],
        [`${name}_FILE`, ''],
      ]),
    );
    expect(comparable(load(empty))).toBe(comparable(load({})));
    expect(faultsOf({ ...empty, NODE_ENV: 'production' })).toHaveLength(3);
  });

  it('that is missing is told beside a bad one of the same concern', () => {
    const faults = faultsOf({ NODE_ENV: 'production', DATABASE_POOL_SIZE: '0', SMS_APP_NAME: '{}' });
    const names = ['APP_SECRET', 'DATABASE_POOL_SIZE', 'DATABASE_URL', 'SMS_APP_NAME', 'SMS_MODE'];
    expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual(names);
  });

  it('that nobody knows is nobody’s business', () => {
    expect(faultsOf({ PATH: '/usr/bin', OTP_LENGHT: '99' })).toEqual([]);
  });
});

describe('OTP_TEST_NUMBERS', () => {
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

  it('has each fault told by place and masked number, and never by code', () => {
    const entries = [
      `+15555550100=83120467@${day(30)}`,
      `+15555550101=8312046x@${day(30)}`,
      `+1 (555) 555-0100=83120467@${day(30)}`,
      `+15555550102=8312@${day(400)}`,
    ];
    expect(faultsOf({ OTP_LENGTH: '6', OTP_TEST_NUMBERS: entries.join(',') })).toEqual([
      'OTP_TEST_NUMBERS must be <number>=<code of 4 to 8 digits>@<YYYY-MM-DD>, separated by commas: ' +
        'entry 2 is not; entry 3 (+1555*****00) names a number twice; ' +
        'entry 4 (+1555*****02) has a code shorter than OTP_LENGTH (6); ' +
        'entry 4 (+1555*****02) expires more than 366 days ahead',
    ]);
  });

  it('may come from a file', async () => {
    const file = join(directory, 'test-numbers');
    await writeFile(file, `+15555550100=83120467@${day(30)}\n`);
    expect(comparable(load({ OTP_TEST_NUMBERS_FILE: file }))).toContain('83120467');
  });
});

describe('.env.example', () => {
  it('is what the code generates', async () => {
    const { envExample } = await harness.load<{ envExample: (slices: Slice[]) => string }>(
      'platform/config/env-example.js',
    );
    expect(await readFile(new URL('.env.example', ROOT), 'utf8')).toBe(envExample(slices));
  });

  it('holds the defaults, as one would write them', async () => {
    const text = await readFile(new URL('.env.example', ROOT), 'utf8');
    const lines = [...text.matchAll(/^#([A-Z][A-Z0-9_]*)=(.*)$/gm)];
    expect(lines.map(([, name]) => name)).toEqual(slices.flatMap(({ variables }) => Object.keys(variables)));
    const environment = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));
    expect(comparable(load(environment))).toBe(comparable(load({})));
  });
});

describe('PUBLIC_URL', () => {
  it('is what links are made of', async () => {
    const app = await TestApp.start({ env: { PUBLIC_URL: 'https://id.example.com/' } });
    const { body } = await app.signup('nobody');
    expect(body.type).toBe('https://id.example.com/docs/errors#phone_number_invalid');
    const phone = aPhoneNumber();
    await app.signup(phone);
    expect((await app.texts(phone))[0]?.body).toMatch(/\n@id\.example\.com #\d{4}$/);
  });
});

function namesIn(message: string): string[] {
  return [...message.matchAll(/^ {2}- (\w+) /gm)].map(([, name = '']) => name);
}
