import { TestApp } from './helpers/app.js';
import { anOpenPrefix, auditOf } from './helpers/breakers.js';
import { latchkey } from './helpers/command-line.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

describe('latchkey sms', () => {
  it('shows the same as the route, as a table', async () => {
    const target = await anOpenPrefix(app);
    const said = await latchkey(app.started.database, 'sms', 'status', '--country', 'BR', '--limit', '100');
    expect(said).toMatch(
      /^SMS_BREAKER=on\. Unverified texts to numbers without an account, 24 h: \d+ of 1000/,
    );
    const line = said.split('\n').find((each) => each.startsWith(target.scope)) ?? '';
    expect(line).toMatch(/ open +\S+Z +\d+ +11 +0 % +11 +0 +0 +hour: 11 of 10$/);
    expect(said).not.toMatch(/^country:(?!BR)/m);
  });

  it('opens, closes and releases, and writes it down without an actor', async () => {
    const scope = 'country:JP';
    const run = (...args: string[]) => latchkey(app.started.database, 'sms', ...args);
    expect(await run('open', scope)).toBe('country:JP is open, open; it was closed.\n');
    expect(await run('open', scope)).toBe('country:JP is open already.\n');
    expect(await run('close', scope)).toBe('country:JP is closed, closed; it was open.\n');
    expect(await run('auto', scope)).toBe('country:JP is closed, auto; it was closed.\n');
    expect(await auditOf(app, scope)).toMatchObject(
      Array(3).fill({ actor_id: null, action: 'sms_breaker_set' }),
    );
    await expect(run('open', 'country:ZZ')).rejects.toMatchObject({
      stderr: expect.stringContaining('It must be'),
    });
    await expect(run('status', '--country', 'Brazil')).rejects.toMatchObject({ code: 1 });
  });
});
