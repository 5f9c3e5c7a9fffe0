/** @jest-environment node */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

const MODULE = new URL('../dist/platform/database/embedded/embedded-postgres.js', import.meta.url).href;

const WHOLE = ['postgres', 'postgres-password', 'postgres.log'];

// Runs in a process of its own, as a server does: opens the cluster, says how that went, and stops when told to.
const PROGRAM = `
  import { once } from 'node:events';
  const [module, how, directory] = process.argv.slice(1);
  const { [how]: open } = await import(module);
  const say = (event) => process.stdout.write(JSON.stringify(event) + '\\n');
  try {
    const { url, adopted, stop } = await open({ directory, log: (message) => say({ log: message }) });
    say({ url, adopted });
    await once(process.stdin, 'data');
    await Promise.all([stop(), stop()]);
    say({ stopped: true });
    process.stdin.destroy();
  } catch (error) {
    say({ error: error.message, name: error.name });
    process.exitCode = 1;
    process.stdin.destroy();
  }
`;

type How = 'startEmbeddedPostgres' | 'attachEmbeddedPostgres';

interface Opened {
  url: string;
  adopted: boolean;
  error?: string;
  name?: string;
}

/** A node process that has a cluster open. */
class Host {
  private readonly child: ChildProcess;
  private readonly events: Record<string, unknown>[] = [];

  constructor(how: How, directory: string) {
    this.child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, MODULE, how, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as Record<string, unknown>);
    });
    hosts.add(this);
  }

  get pid(): number {
    return this.child.pid!;
  }

  get logged(): string[] {
    return this.events.flatMap(({ log }) => (typeof log === 'string' ? [log] : []));
  }

  async opened(): Promise<Opened> {
    return (await this.event((event) => 'url' in event || 'error' in event)) as unknown as Opened;
  }

  async log(pattern: RegExp): Promise<void> {
    await this.event(({ log }) => typeof log === 'string' && pattern.test(log));
  }

  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.stdin!.write('stop\n');
    await this.event((event) => 'stopped' in event);
    await gone;
  }

  async kill(): Promise<void> {
    if (this.ended) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  private get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async event(wanted: (event: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.events.find(wanted);
      if (found) return found;
      if (this.ended && this.child.stdout!.readableEnded)
        throw new Error('The process ended without saying more');
      await sleep(5);
    }
  }
}

const start = (directory: string) => new Host('startEmbeddedPostgres', directory);
const attach = (directory: string) => new Host('attachEmbeddedPostgres', directory);

const hosts = new Set<Host>();
const directories = new Set<string>();

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-embedded-'));
  directories.add(directory);
  return directory;
}

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Of a cluster in `directory`; nothing where no server has left its file. */
async function postmasterPid(directory: string): Promise<number | undefined> {
  const text = await readFile(join(directory, 'postgres', 'postmaster.pid'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text.split('\n')[0]);
}

/** A dead process that init has not reaped yet counts as gone. */
async function runs(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
}

afterEach(async () => {
  for (const host of hosts) await host.kill();
  for (const directory of directories) {
    const pid = await postmasterPid(directory);
    if (pid !== undefined && (await runs(pid))) process.kill(pid, 'SIGQUIT');
    while (pid !== undefined && (await runs(pid))) await sleep(10);
    await rm(directory, { recursive: true, force: true });
  }
  hosts.clear();
  directories.clear();
});

describe('startEmbeddedPostgres', () => {
  it('makes a safe, private cluster that sorts the same everywhere', async () => {
    const directory = await newDirectory();
    const host = start(directory);
    const { url, adopted } = await host.opened();
    expect(adopted).toBe(false);
    expect(url).toMatch(/^postgres:\/\/latchkey:[\w-]{43}@127\.0\.0\.1:\d+\/latchkey$/);
    const [settings] = await query(
      url,
      `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
              current_setting('synchronous_commit') AS synchronous_commit,
              current_setting('listen_addresses') AS listen_addresses,
              current_setting('unix_socket_directories') AS sockets, current_setting('TimeZone') AS time_zone,
              pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datlocprovider AS provider,
              datlocale AS locale, current_setting('data_checksums') AS checksums
         FROM pg_database WHERE datname = current_database()`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      listen_addresses: '127.0.0.1',
      sockets: '',
      time_zone: 'UTC',
      encoding: 'UTF8',
      collate: 'C',
      provider: 'b',
      locale: 'C.UTF-8',
      checksums: 'on',
    });
    expect(await answersOn(outerAddresses(), Number(new URL(url).port))).toEqual([]);
    expect((await stat(join(directory, 'postgres-password'))).mode & 0o777).toBe(0o600);
    await expect(query(url.replace(/:[\w-]{43}@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({
      code: '28P01',
    });
    const commandLine = await readFile(`/proc/${await postmasterPid(directory)}/cmdline`, 'utf8').catch(
      () => '',
    );
    expect(commandLine).not.toContain(new URL(url).password);
    expect(host.logged.join()).not.toContain(new URL(url).password);
    await host.stop();
  });

  it('keeps what was written, and leaves no process behind', async () => {
    const directory = await newDirectory();
    const first = start(directory);
    const { url } = await first.opened();
    await query(url, 'CREATE TABLE notes AS SELECT 1 AS n');
    const pid = await postmasterPid(directory);
    await first.stop();
    expect(await runs(pid!)).toBe(false);
    expect(await postmasterPid(directory)).toBeUndefined();
    expect((await readdir(directory)).sort()).toEqual(WHOLE);

    const second = start(directory);
    const again = await second.opened();
    expect(again.adopted).toBe(false);
    expect(await query(again.url, 'SELECT n FROM notes')).toEqual([{ n: 1 }]);
    await second.stop();
  });

  it('takes over the cluster of a server that was killed', async () => {
    const directory = await newDirectory();
    const killed = start(directory);
    const before = await killed.opened();
    await query(before.url, 'CREATE TABLE notes AS SELECT 1 AS n');
    const pid = await postmasterPid(directory);
    await killed.kill();
    expect(await runs(pid!)).toBe(true);

    const next = start(directory);
    const after = await next.opened();
    expect(after).toEqual({ url: before.url, adopted: true });
    expect(await postmasterPid(directory)).toBe(pid);
    expect(await query(after.url, 'SELECT n FROM notes')).toEqual([{ n: 1 }]);
    await next.stop();
    expect(await runs(pid!)).toBe(false);
  });

  it('refuses a cluster that a live server has, naming it', async () => {
    const directory = await newDirectory();
    const host = start(directory);
    const { url } = await host.opened();
    const { name, error } = await start(directory).opened();
    expect(name).toBe('EmbeddedPostgresInUseError');
    expect(error).toContain(directory);
    expect(error).toContain(`process ${host.pid}`);
    expect(error).toContain('EMBEDDED_DATABASE_DIR');
    expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await host.stop();
  });

  it('lets one of two win that start at once on an empty folder', async () => {
    const directory = await newDirectory();
    const both = [start(directory), start(directory)];
    const outcomes = await Promise.all(both.map((host) => host.opened()));
    expect(outcomes.filter(({ name }) => name === 'EmbeddedPostgresInUseError')).toHaveLength(1);
    const winner = outcomes.findIndex(({ url }) => url);
    expect(await query(outcomes[winner]!.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await both[winner]!.stop();
    expect((await readdir(directory)).sort()).toEqual(WHOLE);
  });

  it('recovers from a crash in the middle of making the cluster', async () => {
    const directory = await newDirectory();
    const killed = start(directory);
    await killed.log(/Creating the database/);
    while (!(await readdir(directory)).some((name) => name.startsWith('postgres-unfinished'))) await sleep(2);
    await killed.kill();
    expect((await readdir(directory)).includes('postgres')).toBe(false);

    const next = start(directory);
    const { url } = await next.opened();
    expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await next.stop();
    // The initdb of the killed one may have outlived its parent, so what it left goes with a later start.
    const last = start(directory);
    await last.opened();
    await last.stop();
    expect((await readdir(directory)).sort()).toEqual(WHOLE);
  });

  it('takes its hold again after a backend has crashed', async () => {
    const directory = await newDirectory();
    const host = start(directory);
    const { url } = await host.opened();
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    process.kill(rows[0]!.pid, 'SIGKILL');
    await host.log(/taking it again/);
    expect((await start(directory).opened()).name).toBe('EmbeddedPostgresInUseError');
    await host.stop();
    expect(await postmasterPid(directory)).toBeUndefined();
  });
});

describe('attachEmbeddedPostgres', () => {
  it('uses the cluster of a live server, and leaves it running', async () => {
    const directory = await newDirectory();
    const server = start(directory);
    const { url } = await server.opened();
    const tool = attach(directory);
    expect(await tool.opened()).toEqual({ url, adopted: false });
    await tool.stop();
    expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await server.stop();
  });

  it('runs the cluster itself where no server does, for as long as any tool needs it', async () => {
    const directory = await newDirectory();
    const first = attach(directory);
    const { url } = await first.opened();
    const pid = await postmasterPid(directory);
    const second = attach(directory);
    expect((await second.opened()).url).toBe(url);
    const stopping = first.stop();
    await sleep(300);
    expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await second.stop();
    await stopping;
    expect(await runs(pid!)).toBe(false);
  });
});

function outerAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .map(({ address }) => address);
}

async function answersOn(addresses: string[], port: number): Promise<string[]> {
  const tries = addresses.map(
    (host) =>
      new Promise<string[]>((resolve) => {
        const socket = createConnection({ host, port });
        socket.once('connect', () => resolve([host])).once('error', () => resolve([]));
        socket.once('connect', () => socket.destroy());
      }),
  );
  return (await Promise.all(tries)).flat();
}
