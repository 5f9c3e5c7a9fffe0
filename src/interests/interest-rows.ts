import type { EntityManager } from 'typeorm';
import { validate as isUuid } from 'uuid';

import { statement } from '../platform/database/statement.js';
import { violatedUniqueIndex } from '../platform/database/database-errors.js';
import { Problem } from '../platform/http/problem.js';
import type { AdministeredInterest, NewInterest } from './administered-interest.js';
import type { EventInterest } from './event-interest.entity.js';
import { nameKeyOf } from './name-key.js';

// Every statement on `event_interests` and `event_interest_slugs` but the part that a profile is read with. Slugs are
// reserved by a trigger.

interface InterestRow {
  id: string;
  name: string;
  name_key: string;
  slug: string;
  description: string;
  is_active: boolean;
}

const COLUMNS = 'i.id, i.name, i.name_key, i.slug, i.description, i.is_active';
// The same on every server, whatever the locale of its database.
const BY_NAME = 'ORDER BY i.name_key COLLATE "C"';

function toInterest(row: InterestRow): EventInterest {
  const { id, name, name_key: nameKey, slug, description, is_active: isActive } = row;
  return { id, name, nameKey, slug, description, isActive };
}

const listActive = statement<InterestRow>(
  'interests_list_active',
  `SELECT ${COLUMNS} FROM event_interests i WHERE i.is_active ${BY_NAME}`,
);

/** By name. */
export async function listActiveInterests(manager: EntityManager): Promise<EventInterest[]> {
  return (await listActive(manager, [])).map(toInterest);
}

type AdministeredRow = InterestRow & { former_slugs: string[] };

const ADMINISTERED_COLUMNS = `${COLUMNS}, ARRAY(
    SELECT s.slug FROM event_interest_slugs s WHERE s.event_interest_id = i.id AND s.slug <> i.slug
    ORDER BY s.slug COLLATE "C") AS former_slugs`;

function toAdministered(row: AdministeredRow): AdministeredInterest {
  return Object.assign(toInterest(row), { formerSlugs: row.former_slugs });
}

// Names are unique, so their keys alone are the place in the list.
const list = statement<AdministeredRow>(
  'interests_list',
  `SELECT ${ADMINISTERED_COLUMNS} FROM event_interests i
   WHERE $2::text IS NULL OR i.name_key COLLATE "C" > $2 ${BY_NAME} LIMIT $1`,
);

/** All of them, inactive ones too, by name. */
export async function listInterests(
  manager: EntityManager,
  { limit, after }: { limit: number; after: string | undefined },
): Promise<AdministeredInterest[]> {
  return (await list(manager, [limit, after])).map(toAdministered);
}

const read = statement<AdministeredRow>(
  'interests_read',
  `SELECT ${ADMINISTERED_COLUMNS} FROM event_interests i WHERE i.id = $1`,
);

/** One that is known to be there. */
export async function readInterest(manager: EntityManager, id: string): Promise<AdministeredInterest> {
  const [row] = await read(manager, [id]);
  if (!row) throw new Error('the interest is gone');
  return toAdministered(row);
}

// Each name is looked up in the primary key that it can be in: no slug has the form of an id.
const RESOLVE = `
  SELECT named.asked, ${COLUMNS}
  FROM (SELECT slug AS asked, event_interest_id AS id FROM event_interest_slugs WHERE slug = ANY ($1::text[])
        UNION ALL SELECT id::text, id FROM unnest($2::uuid[]) AS id) AS named
  JOIN event_interests i ON i.id = named.id`;

const resolve = statement<InterestRow & { asked: string }>('interests_resolve', RESOLVE);

// A deactivation waits for the end of the transaction, or this for the end of the deactivation, which it then sees.
const resolveAndHold = statement<InterestRow & { asked: string }>(
  'interests_resolve_and_hold',
  `${RESOLVE} FOR SHARE OF i`,
);

/**
 * The interests that ids, slugs or former slugs name, inactive ones too, in the order asked, with nothing in the place
 * of one that is not there.
 *
 * @param options.hold keeps them as they are until the end of the transaction.
 */
export async function resolveInterests(
  manager: EntityManager,
  idsOrSlugs: readonly string[],
  { hold = false } = {},
): Promise<(EventInterest | undefined)[]> {
  const asked = idsOrSlugs.map((name) => name.toLowerCase());
  const slugs = asked.filter((name) => !isUuid(name));
  const rows = await (hold ? resolveAndHold : resolve)(manager, [slugs, asked.filter(isUuid)]);
  const found = new Map(rows.map((row) => [row.asked, toInterest(row)]));
  return asked.map((name) => found.get(name));
}

const lock = statement<InterestRow>(
  'interests_lock',
  `SELECT ${COLUMNS} FROM event_interests i WHERE i.id = $1 FOR UPDATE`,
);

/** Makes whoever else would change or choose it wait for the end of the transaction. */
export async function lockInterest(
  transaction: EntityManager,
  id: string,
): Promise<EventInterest | undefined> {
  const [row] = await lock(transaction, [id]);
  return row && toInterest(row);
}

const insert = statement<never>(
  'interests_insert',
  `INSERT INTO event_interests (id, name, name_key, slug, description, is_active) VALUES ($1, $2, $3, $4, $5, $6)`,
);

/** @throws {Problem} `interest_name_taken`, `interest_slug_taken`; the transaction is over then. */
export async function insertInterest(
  transaction: EntityManager,
  { id, name, slug, description, isActive }: NewInterest & { id: string; slug: string },
): Promise<void> {
  await insert(transaction, [id, name, nameKeyOf(name), slug, description, isActive]).catch(explainTaken);
}

const update = statement<never>(
  'interests_update',
  `UPDATE event_interests SET name = $2, name_key = $3, slug = $4, description = $5, is_active = $6 WHERE id = $1`,
);

/** @throws {Problem} `interest_name_taken`, `interest_slug_taken`; the transaction is over then. */
export async function updateInterest(
  transaction: EntityManager,
  { id, name, slug, description, isActive }: Omit<EventInterest, 'nameKey'>,
): Promise<void> {
  await update(transaction, [id, name, nameKeyOf(name), slug, description, isActive]).catch(explainTaken);
}

const TAKEN: Readonly<Record<string, 'interest_name_taken' | 'interest_slug_taken'>> = {
  event_interests_name_key: 'interest_name_taken',
  event_interests_slug_key: 'interest_slug_taken',
  event_interest_slugs_pkey: 'interest_slug_taken',
};

/** The unique indexes decide who has a name or a slug: of many who ask at once, one gets it. */
function explainTaken(error: unknown): never {
  const code = TAKEN[violatedUniqueIndex(error) ?? ''];
  throw code ? new Problem(code) : error;
}
