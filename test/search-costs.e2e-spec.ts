import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';

import { harness, TestApp } from './helpers/app.js';
import { rowsRead } from './helpers/rows-read.js';

// What administrators search through grows for ever: each search reads what it shows, through an index.

const MIDDLE = '01900000-0000-7000-8000-000000004e20';

interface SearchRows {
  findNewest(manager: EntityManager, part: Part, after?: string): Promise<unknown>;
  findByName(
    manager: EntityManager,
    beginning: string,
    part: Part,
    after?: { nameKey: string; userId: string },
  ): Promise<unknown>;
  findOne(manager: EntityManager, column: 'phone_number' | 'id', value: string): Promise<unknown>;
}

interface Part {
  limit: number;
  status?: string;
}

interface AuditSearch {
  userId?: string;
  actorId?: string;
  action?: string;
  from?: Date;
  to?: Date;
}

interface AuditRows {
  searchEntries: (
    manager: EntityManager,
    search: AuditSearch,
    page: { limit: number; after: string | undefined },
  ) => Promise<unknown>;
}

describe('among forty thousand users', () => {
  let many: TestApp;
  beforeAll(async () => {
    many = TestApp.at('', await harness.database());
    await many.sql(
      `WITH made AS (
         INSERT INTO users (id, phone_number, status, created_at)
         SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
                CASE WHEN n % 500 = 1 THEN NULL ELSE '+1415' || n END,
                CASE n % 500 WHEN 0 THEN 'suspended' WHEN 1 THEN 'deleted' ELSE 'active' END, now()
         FROM generate_series(1, 40000) AS n RETURNING id, status
       )
       INSERT INTO user_profiles (user_id, name, name_key, updated_at)
       SELECT id, name, name, now() FROM made, LATERAL (SELECT 'ana ' || md5(id::text) AS name) AS named
       WHERE status <> 'deleted'`,
    );
    await many.sql('ANALYZE users, user_profiles');
  });

  it.each<[what: string, search: (rows: SearchRows, manager: EntityManager) => Promise<unknown>]>([
    ['all', (rows, manager) => rows.findNewest(manager, { limit: 20 })],
    ['later ones', (rows, manager) => rows.findNewest(manager, { limit: 20 }, MIDDLE)],
    ['active ones', (rows, manager) => rows.findNewest(manager, { limit: 20, status: 'active' })],
    ['suspended ones', (rows, manager) => rows.findNewest(manager, { limit: 20, status: 'suspended' })],
    ['deleted ones', (rows, manager) => rows.findNewest(manager, { limit: 20, status: 'deleted' }, MIDDLE)],
    ['those of a common name', (rows, manager) => rows.findByName(manager, 'ana', { limit: 20 })],
    [
      'later ones of it',
      (rows, manager) =>
        rows.findByName(manager, 'ana', { limit: 20 }, { nameKey: 'ana 77', userId: MIDDLE }),
    ],
    [
      'active ones of it',
      (rows, manager) => rows.findByName(manager, 'ana', { limit: 20, status: 'active' }),
    ],
    ['those of a rare name', (rows, manager) => rows.findByName(manager, 'ana 0123', { limit: 20 })],
    ['those of no name', (rows, manager) => rows.findByName(manager, 'zoe', { limit: 20 })],
    ['the one of a number', (rows, manager) => rows.findOne(manager, 'phone_number', '+141520000')],
    ['the one of an id', (rows, manager) => rows.findOne(manager, 'id', MIDDLE)],
  ])('a search for %s reads few rows', async (_what, search) => {
    const rows = await harness.load<SearchRows>('users/user-search-rows.js');
    expect(await rowsRead(many, (manager) => search(rows, manager))).toBeLessThanOrEqual(100);
  });
});

describe('among sixty thousand entries', () => {
  let many: TestApp;
  // One user with a fifth of all, another with a few old ones; one action that is rare, and old.
  const busy = '01900000-0000-7000-8000-0000000000b1';
  const quiet = '01900000-0000-7000-8000-0000000000b2';
  const [from, to] = [new Date(30_000_000), new Date(30_001_000)];
  beforeAll(async () => {
    many = TestApp.at('', await harness.database());
    await many.sql(
      `INSERT INTO audit_log (id, at, actor_id, action, object_type, object_id, payload)
       SELECT (lpad(to_hex(n * 1000), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, now(),
              CASE WHEN n % 5 = 0 THEN $1::uuid WHEN n < 30 THEN $2::uuid ELSE gen_random_uuid() END,
              CASE WHEN n % 3000 = 5 AND n < 20000 THEN 'role_granted' ELSE 'signed_in' END, 'session',
              gen_random_uuid(), '{}'
       FROM generate_series(1, 60000) AS n`,
      [busy, quiet],
    );
    await many.sql('ANALYZE audit_log');
  });

  it.each<[what: string, search: AuditSearch]>([
    ['all', {}],
    ['a busy user', { userId: busy }],
    ['a quiet user', { userId: quiet }],
    ['a user who is not there', { userId: randomUUID() }],
    ['an actor', { actorId: quiet }],
    ['a busy actor', { actorId: busy }],
    ['a common action', { action: 'signed_in' }],
    ['a rare action', { action: 'role_granted' }],
    ['an action that never was', { action: 'account_deleted' }],
    ['a time', { from, to }],
    ['a time of a user', { userId: busy, from, to }],
    ['a rare action in a time', { action: 'role_granted', from, to }],
    ['a rare action of a quiet user', { userId: quiet, action: 'role_granted' }],
    ['what a quiet user did to a busy one', { userId: busy, actorId: quiet }],
  ])('a search for %s reads few rows', async (_what, search) => {
    const { searchEntries } = await harness.load<AuditRows>('audit/audit-rows.js');
    for (const after of [undefined, '00000165-a0bc-7000-8000-000000000000']) {
      const read = await rowsRead(many, (manager) => searchEntries(manager, search, { limit: 20, after }));
      expect(read).toBeLessThanOrEqual(200);
    }
  });
});
