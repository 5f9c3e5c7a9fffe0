import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import pg from 'pg';
import { DataSource } from 'typeorm';

import { createApp } from '../../dist/create-app.js';
import { JobWorkers } from '../../dist/platform/jobs/job-workers.js';
import { Jobs } from '../../dist/platform/jobs/jobs.js';
import { createDatabase, databaseUrl, dropDatabase, onDatabase } from './databases.mjs';

const SERVER = process.env.LATCHKEY_TEST_SERVER;
const TEMPLATE = process.env.LATCHKEY_TEST_TEMPLATE;

// Jobs run when they will: what they send is no part of what a test asks for.
const ofWorkers = new AsyncLocalStorage();
const { start: startWorkers } = JobWorkers;
JobWorkers.start = (url, tasks, told) => {
  const marked = [...tasks].map(([name, task]) => {
    const handler = (payload) => ofWorkers.run(true, () => task.handler(payload));
    return [name, { ...task, handler }];
  });
  return startWorkers.call(JobWorkers, url, new Map(marked), told);
};

/** Tests of all else sign in many numbers from one address. The tests of the abuse policy take its defaults back. */
const UNLIMITED = {
  PHONE_SENDS_PER_HOUR: '1000',
  PHONE_SENDS_PER_DAY: '1000',
  PHONE_SENDS_PER_ADDRESS_PER_DAY: '1000',
  IP_UNVERIFIED_SENDS_PER_HOUR: '100000',
  IP_UNVERIFIED_SENDS_PER_DAY: '100000',
  IP_PENDING_SENDS: '100000',
  IP_FAILURES_PER_HOUR: '100000',
  IP_FAILURES_PER_DAY: '100000',
  IP_COUNTRIES_PER_DAY: '1000',
  SERVICE_FAILURES_PER_HOUR: '100000',
  SERVICE_FAILURES_PER_DAY: '100000',
};

/** What one test file has started: apps and databases, all let go of at its end. */
export class Harness {
  #apps = [];
  #databases = [];
  #pools = new Map();
  #folders = new Map();
  #browsers = [];
  #stores = [];
  #shared;

  /** A database of the newest schema, or an empty one. */
  async database({ empty = false } = {}) {
    const url = await createDatabase(SERVER, empty ? undefined : new URL(TEMPLATE).pathname.slice(1));
    this.#databases.push(url);
    return url;
  }

  /** The folder of the pictures of a database. */
  #picturesOf(database) {
    if (!this.#folders.has(database)) {
      this.#folders.set(database, mkdtemp(join(tmpdir(), 'latchkey-pictures-')));
    }
    return this.#folders.get(database);
  }

  /** What makes pictures and looks at them: native code, which jest's vm cannot load. */
  draw() {
    return import('./draw.mjs');
  }

  /** A built module, imported outside jest's vm. */
  load(file) {
    return import(new URL(`../../dist/${file}`, import.meta.url).href);
  }

  /** The URL of a database that does not exist on the test server. */
  missingDatabase() {
    return databaseUrl(SERVER, 'latchkey_test_missing');
  }

  /**
   * Starts the app on a free port; by default on this file's own database, with a clock that can be moved.
   *
   * @param {object} options
   * @param {Record<string, string>} [options.env] on top of the test defaults
   * @param {string} [options.database] URL; by default one database for all apps of this file
   * @param {MovableClock} [options.clock] that of another replica
   * @param {(length: number) => string} [options.codes]
   * @param {(message: object) => Promise<object>} [options.send] instead of the inbox
   * @param {object} [options.storage] instead of the disk
   * @param {object} [options.rateLimits] where requests are counted
   * @param {[file: string, name: string]} [options.hostModule] a module of a host app, from `dist/`
   * @param {Record<string, {handler: (payload: unknown) => Promise<void>, cron?: string}>} [options.tasks] of jobs
   * @param {boolean} [options.isLimited] the abuse policy by its defaults
   */
  async start({
    env = {},
    database,
    clock = new MovableClock(),
    codes,
    send,
    storage,
    rateLimits,
    hostModule,
    tasks = {},
    isLimited = false,
  } = {}) {
    const url = database ?? (this.#shared ??= await this.database());
    const pictures = await this.#picturesOf(url);
    const log = new LogLines();
    const app = await createApp({
      env: {
        NODE_ENV: 'test',
        HOST: '127.0.0.1',
        PORT: '0',
        APP_SECRET: 'a-secret-for-tests-and-for-nothing-else',
        DATABASE_URL: url,
        DATABASE_POOL_SIZE: '5',
        STORAGE_DIR: pictures,
        ...(isLimited ? {} : UNLIMITED),
        // All tests come from one address.
        RATE_LIMIT_PER_MINUTE: '1000000',
        RATE_LIMIT_ANONYMOUS_PER_MINUTE: '1000000',
        ...env,
      },
      clock,
      log,
      ...(codes && { codes: { generate: codes } }),
      ...(send && { sms: { send } }),
      ...(storage && { storage }),
      ...(rateLimits && { rateLimits }),
      imports: [
        ...(hostModule ? [(await this.load(hostModule[0]))[hostModule[1]]] : []),
        moduleOfTasks(tasks),
      ],
    });
    await app.nest.listen(app.server.port, app.server.host);
    const started = {
      url: await app.nest.getUrl(),
      database: url,
      pictures: env.STORAGE_DIR ?? pictures,
      clock,
      log,
      nest: app.nest,
      /** A provider by the class (or token) that a built module exports. */
      provider: async (file, name) => {
        const module = await this.load(file);
        return app.nest.get(module[name], { strict: false });
      },
      /** A transaction of the app, which it may add jobs in. */
      transaction: (work) => app.nest.get(DataSource).transaction(work),
      close: app.close,
    };
    this.#apps.push(started);
    return started;
  }

  /** A real browser, that reaches nothing but this machine. */
  async browser() {
    const { launchBrowser } = await import('./browser.mjs');
    const launched = await launchBrowser();
    this.#browsers.push(launched);
    return launched.browser;
  }

  /** A store of its own that speaks the protocol of S3, with the bucket `pictures`. @returns its URL. */
  async s3() {
    // Said once a process: package.json stays below the versions that want another Node.js.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
    const script = fileURLToPath(new URL('./s3-server.mjs', import.meta.url));
    const child = spawn(process.execPath, ['--openssl-legacy-provider', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#stores.push(child);
    const [url] = await once(createInterface(child.stdout), 'line');
    return url;
  }

  /** What TypeORM would change to make the schema of a database what our entities say. */
  async pendingSchemaChanges(database) {
    const entities = ['*', 'auth/*', 'otp/*', 'users/*'].map((folder) =>
      fileURLToPath(new URL(`../../dist/${folder}/*.entity.js`, import.meta.url)),
    );
    const dataSource = await new DataSource({ type: 'postgres', url: database, entities }).initialize();
    try {
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      return upQueries.map(({ query }) => query);
    } finally {
      await dataSource.destroy();
    }
  }

  /** Runs a statement on a database, past the app. */
  async sql(database, text, values) {
    let pool = this.#pools.get(database);
    if (!pool) this.#pools.set(database, (pool = new pg.Pool({ connectionString: database, max: 2 })));
    return (await pool.query(text, values)).rows;
  }

  /** Runs statements one after another on one connection of their own. @returns the rows of the last. */
  script(database, texts) {
    return onDatabase(database, async (client) => {
      let rows = [];
      for (const text of texts) ({ rows } = await client.query(text));
      return rows;
    });
  }

  /** Fills a database with so many made-up people. */
  async populate(database, users, now) {
    const { populate } = await import('../../bench/seed/population.mjs');
    await populate(database, { users, now });
  }

  /** The statements that requests to apps of this process send while `work` runs: their names, or their text. */
  async statements(work) {
    const queries = await this.queries(work);
    return queries.map(({ name, text }) => name ?? text);
  }

  /** The same, with what they were sent with. */
  async queries(work) {
    const seen = [];
    const { query } = pg.Client.prototype;
    pg.Client.prototype.query = function (config, ...rest) {
      const { name, text, values } = config.text ? config : { text: config, values: rest[0] };
      // The workers have connections of their own; what is heard of the database is proved every second.
      const isOfApp = this.connectionParameters.application_name === 'latchkey' && !ofWorkers.getStore();
      if (isOfApp && name !== 'signing_key_list' && name !== 'notifications_prove') {
        seen.push({ name, text, values: Array.isArray(values) ? values : [] });
      }
      return query.call(this, config, ...rest);
    };
    try {
      await work();
    } finally {
      pg.Client.prototype.query = query;
    }
    return seen;
  }

  /** Stops the apps started so far: each holds connections, and the server has no more than a hundred. */
  async closeApps() {
    await Promise.all(this.#apps.splice(0).map((app) => app.close()));
  }

  async close() {
    await Promise.all(this.#browsers.map((browser) => browser.close()));
    await this.closeApps();
    for (const store of this.#stores) {
      store.stdin.end();
      await once(store, 'exit');
    }
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
    for (const url of this.#databases) await dropDatabase(SERVER, url);
    for (const folder of this.#folders.values()) await rm(await folder, { recursive: true, force: true });
  }
}

/** A module that registers tasks of a test, as features do. */
function moduleOfTasks(tasks) {
  const register = (jobs) => ({
    onModuleInit() {
      for (const [name, { handler, cron }] of Object.entries(tasks)) {
        jobs.handle(name, handler, cron ? { cron } : {});
      }
    },
  });
  const providers = [{ provide: 'TASKS', inject: [Jobs], useFactory: register }];
  return { module: class Tasks {}, providers };
}

class MovableClock {
  #offset = 0;
  #stoppedAt;

  now() {
    return new Date((this.#stoppedAt ?? Date.now()) + this.#offset);
  }

  stop() {
    this.#stoppedAt ??= Date.now();
  }

  advance(seconds) {
    this.#offset += seconds * 1000;
  }
}

class LogLines {
  lines = [];

  write(line) {
    this.lines.push(line);
  }
}
