import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  comparable,
  type Configuration,
  configuration,
  type Environment,
  type Slice,
} from './helpers/configuration.js';

const SECRET = 'a-secret-for-tests-and-for-nothing-else';
const PRODUCTION = { NODE_ENV: 'production', APP_SECRET: SECRET, SMS_MODE: 'test' };
const S3 = {
  STORAGE_DRIVER: 's3',
  S3_BUCKET: 'pictures',
  S3_REGION: 'eu-central-1',
  S3_ACCESS_KEY_ID: 'key',
};

const TWILIO = {
  SMS_MODE: 'live',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_FROM_NUMBER: '+14155552671',
};
const NEXT_MONTH = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);

let slices: Slice[];
let load: (environment: Environment) => Configuration;
let faultsOf: (environment: Environment) => string[];
let directory: string;
beforeAll(async () => {
  ({ slices, load, faultsOf } = await configuration());
  directory = await mkdtemp(join(tmpdir(), 'latchkey-secrets-'));
});

afterAll(() => rm(directory, { recursive: true }));

describe('a secret', () => {
  const GOOD: Record<string, string> = {
    APP_SECRET: SECRET,
    DATABASE_URL: 'postgres://user:pass@localhost/latchkey',
    DATABASE_MIGRATION_URL: 'postgresql://owner:pass@localhost/latchkey',
    S3_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCY',
    METRICS_TOKEN: 'a-token-for-tests-and-for-nothing-else',
    OTP_TEST_NUMBERS: `+15555550100=83120467@${NEXT_MONTH}`,
    TWILIO_AUTH_TOKEN: 'f00dfeedf00dfeedf00dfeedf00dfeed',
    TWILIO_API_SECRET: 'deadbeefdeadbeefdeadbeefdeadbeef',
  };
  // What of it is in the configuration, where that is not the text itself.
  const KEPT: Record<string, string> = { OTP_TEST_NUMBERS: '83120467' };
  const BAD: Record<string, string> = {
    APP_SECRET: 'hunter2',
    S3_SECRET_ACCESS_KEY: 'hunter 2',
    METRICS_TOKEN: 'hunter2',
    TWILIO_AUTH_TOKEN: 'hunter 2',
    TWILIO_API_SECRET: 'hunter 2',
  };
  // What it is used with.
  const WITH: Record<string, Environment> = {
    S3_SECRET_ACCESS_KEY: S3,
    TWILIO_AUTH_TOKEN: TWILIO,
    TWILIO_API_SECRET: { ...TWILIO, TWILIO_API_KEY: `SK${'0'.repeat(32)}` },
  };

  async function file(content: string): Promise<string> {
    const path = join(await mkdtemp(join(directory, 'secret-')), 'secret');
    await writeFile(path, content);
    return path;
  }

  it('is one of these', () => {
    const secrets = slices.flatMap(({ variables }) =>
      Object.entries(variables)
        .filter(([, { notes }]) => notes.secret)
        .map(([name]) => name),
    );
    expect(secrets.sort()).toEqual(Object.keys(GOOD).sort());
  });

  it.each(Object.entries(GOOD))(
    '%s may come from a file, whose last line break does not count',
    async (name, value) => {
      for (const content of [value, `${value}\n`, `${value}\r\n`]) {
        const fromFile = load({ ...WITH[name], [`${name}_FILE`]: await file(content) });
        expect(comparable(fromFile)).toBe(comparable(load({ ...WITH[name], [name]: value })));
        expect(comparable(fromFile)).toContain(JSON.stringify(KEPT[name] ?? value));
      }
    },
  );

  it.each(Object.entries(GOOD))('%s is refused in a file as beside one', async (name, value) => {
    const path = await file(value);
    const bad = BAD[name] ?? 'hunter2://host';
    expect(faultsOf({ [`${name}_FILE`]: await file(bad) })).toEqual(faultsOf({ [name]: bad }));
    for (const unreadable of [join(path, 'nowhere'), directory]) {
      expect(faultsOf({ [`${name}_FILE`]: unreadable })).toEqual([
        `${name}_FILE must name a file that can be read`,
      ]);
    }
    const both = faultsOf({ ...WITH[name], [name]: value, [`${name}_FILE`]: path });
    expect(both).toEqual([expect.stringMatching(`^${name} is set as well as ${name}_FILE`)]);
    expect(both.join('')).not.toContain(value);
  });

  it('in an empty file is not set', async () => {
    const environment = { ...PRODUCTION, DATABASE_URL: GOOD['DATABASE_URL']!, APP_SECRET: '' };
    expect(faultsOf({ ...environment, APP_SECRET_FILE: await file('\n') })).toEqual([
      expect.stringMatching(/^APP_SECRET must be set in production/),
    ]);
    expect(faultsOf({ ...environment, APP_SECRET_FILE: await file(SECRET) })).toEqual([]);
  });
});
