import { randomBytes } from 'node:crypto';

import { type SignedInUser, TestApp } from './helpers/app.js';
import { latchkey } from './helpers/command-line.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const entriesOf = ({ id }: SignedInUser) =>
  app.sql('SELECT action FROM audit_log WHERE actor_id = $1 ORDER BY id', [id]);

describe('the audit log', () => {
  it.each([
    ['UPDATE', `UPDATE audit_log SET action = 'nothing'`],
    ['UPDATE of an address', 'UPDATE audit_log SET ip = NULL'],
    ['DELETE', 'DELETE FROM audit_log'],
    ['TRUNCATE', 'TRUNCATE audit_log'],
    ['TRUNCATE by way of another table', 'TRUNCATE users, audit_log CASCADE'],
  ])('refuses %s, to its owner as well', async (_what, statement) => {
    const user = await app.signIn();
    await expect(app.sql(statement)).rejects.toThrow('append-only');
    expect(await entriesOf(user)).toEqual([{ action: 'signed_in' }]);
  });

  it('lets an erasure take addresses, and nothing else', async () => {
    await app.signIn();
    // It ends with an error of its own, so that nothing of it stays.
    const erase = (set: string) =>
      app.sql(`DO $$ BEGIN
        PERFORM set_config('latchkey.audit_erasure', 'on', true);
        UPDATE audit_log SET ${set};
        RAISE EXCEPTION 'it was let through';
      END $$`);
    await expect(erase('ip = NULL, user_agent = NULL')).rejects.toThrow('it was let through');
    for (const set of [
      `ip = '10.0.0.1', user_agent = NULL`,
      `ip = NULL, user_agent = NULL, action = 'nothing'`,
      `ip = NULL, user_agent = NULL, payload = '{"a":1}'`,
      `ip = NULL, user_agent = NULL, actor_id = NULL`,
    ]) {
      await expect(erase(set)).rejects.toThrow('append-only');
    }
  });

  it('is written with the act or not at all', async () => {
    const user = await app.signIn();
    // A database that refuses the entry refuses the act: the session lives on.
    await app.sql(
      `ALTER TABLE audit_log ADD CONSTRAINT no_logouts CHECK (payload ->> 'reason' <> 'logout') NOT VALID`,
    );
    const answer = await app.post('/api/auth/logout', undefined, user.bearer);
    await app.sql('ALTER TABLE audit_log DROP CONSTRAINT no_logouts');
    expect(answer.status).toBe(500);
    expect((await app.get('/api/auth/profile', user.bearer)).status).toBe(200);
    expect(await entriesOf(user)).toEqual([{ action: 'signed_in' }]);
  });

  it('holds ids, and neither number nor name', async () => {
    const user = await app.signIn();
    await app.post('/api/auth/logout', undefined, user.bearer);
    const rows = await app.sql('SELECT * FROM audit_log WHERE actor_id = $1', [user.id]);
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain(user.phoneNumber.slice(4));
  });

  it('has the id of the request', async () => {
    const user = await app.signIn();
    await app.post('/api/auth/logout', undefined, { ...user.bearer, 'x-request-id': 'my-request' });
    expect(
      await app.sql(`SELECT request_id FROM audit_log WHERE actor_id = $1 AND action = 'session_ended'`, [
        user.id,
      ]),
    ).toEqual([{ request_id: 'my-request' }]);
  });
});

describe('latchkey prune-audit', () => {
  it('deletes what is older than so many days, and nothing else', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    await app.sql(
      `INSERT INTO audit_log (id, at, actor_id, action, object_type, object_id, payload)
       SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, now() - interval '91 days', $1, 'signed_in',
              'user', $1, '{}' FROM generate_series(1, 20001) AS n`,
      [ana.id],
    );
    const prune = (...args: string[]) => latchkey(app.started.database, 'prune-audit', ...args);
    expect(await prune('--older-than', '92')).toMatch(/^Deleted 0 entries/);
    expect(await prune('--older-than', '90')).toMatch(/^Deleted 20001 entries/);
    for (const user of [ana, ben]) expect(await entriesOf(user)).toEqual([{ action: 'signed_in' }]);
    for (const days of ['0', '-1', 'all', '']) {
      await expect(prune('--older-than', days)).rejects.toThrow('whole number');
    }
    await expect(prune()).rejects.toThrow('--older-than');
  });

  it('is refused to a role that does not own the log, whatever it sets', async () => {
    const user = await app.signIn();
    const role = `latchkey_test_${randomBytes(6).toString('hex')}`;
    await app.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    try {
      await app.sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON audit_log TO ${role}`);
      const url = new URL(app.started.database);
      [url.username, url.password] = [role, 'secret'];
      await expect(latchkey(url.href, 'prune-audit', '--older-than', '1')).resolves.toMatch(/^Deleted 0/);
      await app.sql(
        `INSERT INTO audit_log (id, at, actor_id, action, object_type, payload)
         VALUES ('00000000-0000-7000-8000-000000000001', now() - interval '9 days', $1, 'signed_in', 'user', '{}')`,
        [user.id],
      );
      await expect(latchkey(url.href, 'prune-audit', '--older-than', '1')).rejects.toThrow(
        'Only the owner of the table may prune',
      );
      expect(await entriesOf(user)).toHaveLength(2);
    } finally {
      await app.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});
