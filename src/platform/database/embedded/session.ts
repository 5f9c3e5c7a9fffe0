import pg from 'pg';

import { OperatorError } from '../../operator-error.js';
import { type Cluster, NAME, readPassword } from './cluster.js';
import { databaseErrorCode, isDatabaseUnavailable } from '../database-errors.js';

/** A server holds its cluster for as long as it runs; a command-line tool for a moment, or uses a server's. */
export type Role = 'server' | 'command';

// The types of `pg` lack what its client has.
type Client = pg.Client & { ref(): void; unref(): void };

// Advisory locks of the database `postgres`, where the application takes none.
const CLASS = 18_004;
const HOLD = 1;
const VISIT = 2;
const VISITS_END_WITHIN = '30s';

/** A connection of its own to a cluster; the locks on the cluster live as long as it does. */
export class ClusterSession {
  private closing = false;

  private constructor(private readonly client: Client) {
    // A lost connection shows as `end`; an `error` without a listener would end the process.
    client.on('error', () => undefined);
  }

  /** @returns nothing where the server takes no connections just now. */
  static async open(cluster: Cluster, port: number, role: Role): Promise<ClusterSession | undefined> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: NAME,
      password: await readPassword(cluster),
      database: 'postgres',
      // Shown to the next who wants the cluster.
      application_name: `latchkey ${role} ${process.pid}`,
      connectionTimeoutMillis: 5000,
      // PGSSLMODE is meant for other servers.
      ssl: false,
    }) as Client;
    const session = new ClusterSession(client);
    try {
      await client.connect();
      return session;
    } catch (error) {
      await session.close();
      if (isNotNow(error)) return undefined;
      if (!databaseErrorCode(error)?.startsWith('28')) throw error;
      throw new OperatorError(
        `The PostgreSQL that runs in ${cluster.path} refuses the password kept in ${cluster.directory}. ` +
          'Put the file postgres-password back as it was, or move both away to start with an empty database.',
        { cause: error },
      );
    }
  }

  /** Takes the cluster for this session alone, unless another has it. */
  tryHold(): Promise<boolean> {
    return this.ask('SELECT pg_try_advisory_lock($1, $2) AS answer', [CLASS, HOLD]);
  }

  /** Keeps the holder, where that is a command, from stopping the cluster under this session. */
  tryVisit(): Promise<boolean> {
    return this.ask('SELECT pg_try_advisory_lock_shared($1, $2) AS answer', [CLASS, VISIT]);
  }

  /** Waits until nobody visits any more, and lets nobody in. @returns false where some are still there. */
  async visitorsGone(): Promise<boolean> {
    try {
      await this.client.query(`SET lock_timeout = '${VISITS_END_WITHIN}'`);
      await this.client.query('SELECT pg_advisory_lock($1, $2)', [CLASS, VISIT]);
      return true;
    } catch (error) {
      const LOCK_NOT_AVAILABLE = '55P03';
      if (databaseErrorCode(error) === LOCK_NOT_AVAILABLE || isNotNow(error)) return false;
      throw error;
    }
  }

  /** Who has the cluster now. */
  async holder(): Promise<{ role: Role; pid: string } | undefined> {
    const { rows } = await this.client.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity JOIN pg_locks USING (pid)
        WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND granted`,
      [CLASS, HOLD],
    );
    const [, role, pid] = /^latchkey (server|command) (\d+)$/.exec(rows[0]?.name ?? '') ?? [];
    return role && pid ? { role: role as Role, pid } : undefined;
  }

  /** True where the server was started with `durable`. */
  isDurable(): Promise<boolean> {
    return this.ask(`SELECT current_setting('fsync')::boolean AS answer`);
  }

  /** Makes the application's database; call it only while holding the cluster. */
  async ensureDatabase(): Promise<void> {
    const { rowCount } = await this.client.query('SELECT FROM pg_database WHERE datname = $1', [NAME]);
    if (!rowCount) await this.client.query(`CREATE DATABASE ${NAME}`);
  }

  /** Tells when the connection ends without `close()`, and from now on keeps no process alive. */
  watch(onLost: () => void): void {
    this.client.unref();
    this.client.once('end', () => {
      if (!this.closing) onLost();
    });
  }

  /** From now on the connection is expected to end. */
  expectEnd(): void {
    this.closing = true;
    // Whoever waits for it must not see the process end instead.
    this.client.ref();
  }

  async close(): Promise<void> {
    this.expectEnd();
    await this.client.end().catch(() => undefined);
  }

  private async ask(question: string, values: number[] = []): Promise<boolean> {
    const { rows } = await this.client.query<{ answer: boolean }>(question, values);
    return rows[0]?.answer ?? false;
  }
}

/** True for an error that passes: the server is starting, stopping or gone. */
export function isNotNow(error: unknown): boolean {
  return isDatabaseUnavailable(error) || (error instanceof Error && error.message === 'timeout expired');
}
