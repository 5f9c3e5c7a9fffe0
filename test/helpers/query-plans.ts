import { harness, type SentQuery } from './app.js';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Plan Rows': number;
  Plans?: PlanNode[];
}

/** Rows that a statement may look at one by one without anybody noticing. */
const FEW = 2000;
const HAS_PLAN = /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/i;

/**
 * What is slow in the plans of statements: tables read from end to end, and large sorts. Each is planned twice, for its
 * values and (as PostgreSQL does with a prepared one after a while) for any.
 */
export async function slowPlans(database: string, queries: readonly SentQuery[]): Promise<string[]> {
  const tables = await harness.sql<{ name: string }>(
    database,
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND reltuples > ${FEW}`,
  );
  const large = new Set(tables.map(({ name }) => name));
  const found = new Set<string>();
  for (const query of queries.filter(({ text }) => HAS_PLAN.test(text))) {
    for (const plan of [await planOf(database, query), await genericPlanOf(database, query)]) {
      for (const fault of faultsOf(plan, large)) found.add(`${query.name ?? query.text}: ${fault}`);
    }
  }
  return [...found];
}

/** The named statements that PostgreSQL plans anew each time, which costs as much as running them. */
export async function replanned(database: string, queries: readonly SentQuery[]): Promise<string[]> {
  const found = new Set<string>();
  for (const { name, text, values } of queries.filter((query) => query.name !== undefined)) {
    const given = values.length > 0 ? `(${values.map(literal).join(', ')})` : '';
    const [row] = await harness.script(database, [
      `PREPARE planned AS ${text}`,
      // After five it has seen what plans for these values cost.
      ...Array<string>(7).fill(`EXPLAIN EXECUTE planned${given}`),
      `SELECT generic_plans::integer AS kept FROM pg_prepared_statements WHERE name = 'planned'`,
    ]);
    if (row?.kept === 0) found.add(name ?? '');
  }
  return [...found];
}

/** A value as `pg` would send it: the type is that of the parameter. */
function literal(value: unknown): string {
  return value === null || value === undefined ? 'NULL' : `'${textOf(value).replaceAll("'", "''")}'`;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return `{${value.map((each) => `"${textOf(each).replaceAll('\\', '\\\\')}"`).join(', ')}}`;
  }
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  // Of another realm: no instance of the `Date` of the tests.
  const isDate = Object.prototype.toString.call(value) === '[object Date]';
  return isDate ? (value as Date).toISOString() : String(value);
}

async function planOf(database: string, { text, values }: SentQuery): Promise<PlanNode> {
  return toPlan(await harness.sql(database, `EXPLAIN (FORMAT JSON) ${text}`, [...values]));
}

async function genericPlanOf(database: string, { text, values }: SentQuery): Promise<PlanNode> {
  const given = values.length > 0 ? `(${values.map(() => 'NULL').join(', ')})` : '';
  return toPlan(
    await harness.script(database, [
      'SET plan_cache_mode = force_generic_plan',
      `PREPARE planned AS ${text}`,
      `EXPLAIN (FORMAT JSON) EXECUTE planned${given}`,
    ]),
  );
}

function toPlan(rows: Record<string, unknown>[]): PlanNode {
  const [explained] = rows[0]?.['QUERY PLAN'] as { Plan: PlanNode }[];
  if (!explained) throw new Error('EXPLAIN answers a plan');
  return explained.Plan;
}

function faultsOf(node: PlanNode, large: ReadonlySet<string>): string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Plan Rows': rows, Plans: inner = [] } = node;
  const own: string[] = [];
  if (type === 'Seq Scan' && large.has(table)) own.push(`reads all of ${table}`);
  if (type === 'Sort' && rows > FEW) own.push(`sorts ${rows} rows`);
  return [...own, ...inner.flatMap((each) => faultsOf(each, large))];
}
