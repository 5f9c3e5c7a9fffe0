import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { harness } from './helpers/app.js';
import { configuration, type Environment } from './helpers/configuration.js';
import { run, serve } from './helpers/server-process.js';

let faultsOf: (environment: Environment) => string[];
let directory: string;
beforeAll(async () => {
  ({ faultsOf } = await configuration());
  directory = await mkdtemp(join(tmpdir(), 'latchkey-live-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('SMS_MODE=live', () => {
  const ACCOUNT = { TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}` };
  const TOKEN = { TWILIO_AUTH_TOKEN: 'a-token' };
  const KEY = { TWILIO_API_KEY: `SK${'0'.repeat(32)}`, TWILIO_API_SECRET: 'a-secret' };
  const SERVICE = { TWILIO_MESSAGING_SERVICE_SID: `MG${'0'.repeat(32)}` };
  const names = (environment: Environment) =>
    faultsOf({ SMS_MODE: 'live', ...environment }).map((fault) => fault.split(' ')[0]);

  it.each<[string, Environment, string[]]>([
    ['nothing', {}, ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_MESSAGING_SERVICE_SID']],
    ['no account', { ...TOKEN, ...SERVICE }, ['TWILIO_ACCOUNT_SID']],
    ['no token and no key', { ...ACCOUNT, ...SERVICE }, ['TWILIO_AUTH_TOKEN']],
    ['no sender', { ...ACCOUNT, ...TOKEN }, ['TWILIO_MESSAGING_SERVICE_SID']],
    ['half a key', { ...ACCOUNT, ...SERVICE, TWILIO_API_KEY: KEY.TWILIO_API_KEY }, ['TWILIO_API_SECRET']],
    ['the other half', { ...ACCOUNT, ...TOKEN, ...SERVICE, TWILIO_API_SECRET: 'x' }, ['TWILIO_API_KEY']],
    [
      'two senders',
      { ...ACCOUNT, ...TOKEN, ...SERVICE, TWILIO_FROM_NUMBER: '24273' },
      ['TWILIO_FROM_NUMBER'],
    ],
    ['a token', { ...ACCOUNT, ...TOKEN, ...SERVICE }, []],
    ['a key', { ...ACCOUNT, ...KEY, ...SERVICE }, []],
    ['a number', { ...ACCOUNT, ...TOKEN, TWILIO_FROM_NUMBER: '+14155552671' }, []],
    ['a short code', { ...ACCOUNT, ...TOKEN, TWILIO_FROM_NUMBER: '24273' }, []],
    ['a name', { ...ACCOUNT, ...TOKEN, TWILIO_FROM_NUMBER: 'Latchkey' }, []],
  ])('with %s', (_, environment, missing) => {
    expect(names(environment)).toEqual(missing);
  });

  it('says half a key in test mode, too', () => {
    expect(faultsOf({ TWILIO_API_SECRET: 'x' })).toEqual([
      'TWILIO_API_KEY must be set: TWILIO_API_SECRET is',
    ]);
  });

  it.each([
    ['http://gateway.example.com', false],
    ['http://10.0.0.7:8080', false],
    ['http://localhost.example.com', false],
    ['http://localhost:8080', true],
    ['http://127.0.0.1:8080/twilio', true],
    ['http://[::1]:8080', true],
    ['https://api.dublin.ie1.twilio.com', true],
  ])('reaches Twilio at %s: %s', (url, isGood) => {
    const fault = 'TWILIO_API_BASE_URL must start with https://; http:// is for this machine only';
    expect(faultsOf({ TWILIO_API_BASE_URL: url })).toEqual(isGood ? [] : [fault]);
  });

  it('stops the start with all that is missing, and serves without an inbox when nothing is', async () => {
    const live = {
      NODE_ENV: 'production',
      APP_SECRET: 'a-secret-for-tests-and-for-nothing-else',
      SMS_MODE: 'live',
      DATABASE_URL: await harness.database(),
      HOST: '127.0.0.1',
    };
    const { code, stderr } = await run({ environment: live, directory });
    expect(code).toBe(1);
    expect(namesIn(stderr)).toEqual([
      'TWILIO_ACCOUNT_SID',
      'TWILIO_AUTH_TOKEN',
      'TWILIO_MESSAGING_SERVICE_SID',
    ]);
    const file = join(directory, 'twilio-token');
    await writeFile(file, 'a-token\n');
    const environment = { ...live, ...ACCOUNT, ...SERVICE, TWILIO_AUTH_TOKEN_FILE: file };
    const server = await serve({ environment, directory, flags: [] });
    try {
      expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
      for (const path of ['', '/inbox.js', '/messages']) {
        expect((await fetch(`${server.url}/dev/inbox${path}`)).status).toBe(404);
      }
      expect(server.output()).not.toContain('a-token');
    } finally {
      server.child.kill('SIGKILL');
    }
  });
});

function namesIn(message: string): string[] {
  return [...message.matchAll(/^ {2}- (\w+) /gm)].map(([, name = '']) => name);
}
