// Drives the hot path with 16 clients and prints, for each kind of request, throughput and the CPU that the server
// spends on one. Figures compare within one run only: `health` is the floor of the framework in that same run.
//
//   npm run build && node bench/hot-path.mjs [requests of each kind, default 4000]
//
// DATABASE_URL uses an existing server (a database is made on it, and dropped); else the embedded one is started.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { createDatabase, dropDatabase } from '../test/helpers/databases.mjs';

const CLIENTS = 16;
const REQUESTS = Number(process.argv[2] ?? 4000);
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
const directory = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
const own = process.env.DATABASE_URL ? await createDatabase(process.env.DATABASE_URL) : undefined;
const server = spawn(process.execPath, ['dist/main.js'], {
  cwd: new URL('..', import.meta.url),
  env: {
    ...process.env,
    PORT: '0',
    EMBEDDED_DATABASE_DIR: directory,
    STORAGE_DIR: join(directory, 'pictures'),
    LOG_LEVEL: 'warn',
    // As behind a proxy: each user has a network, as the budgets of one would refuse so many.
    TRUST_PROXY: '1',
    RATE_LIMIT_PER_MINUTE: '1000000000',
    RATE_LIMIT_ANONYMOUS_PER_MINUTE: '1000000000',
    ...(own && { DATABASE_URL: own }),
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise((resolve) => {
  createInterface(server.stdout).on('line', (line) => {
    const found = /API\s+(http\S+)\/api/.exec(line);
    if (found) resolve(found[1]);
  });
});

try {
  const users = Array.from({ length: REQUESTS }, (_, index) => ({
    // Spread over the ranges of numbers, as people are.
    phone: `+55119${60_000_000 + ((index * 7_654_321) % 40_000_000)}`,
    address: `10.${index >> 8}.${index & 255}.1`,
  }));
  // The code compiles and the pool fills on requests that do not count.
  await measure('warm-up', users.slice(0, 200), () => call('GET', '/health/live'));
  const rows = [
    await measure('health', users, () => call('GET', '/health/live')),
    await measure('interests', users, () => call('GET', '/api/auth/event-interests')),
    await measure('signup', users, ({ phone, address }) =>
      call('POST', '/api/auth/signup', { phone_number: phone }, { address }),
    ),
  ];
  await readCodes(users);
  rows.push(
    await measure('verify', users, async (user) => {
      Object.assign(
        user,
        await call('POST', '/api/auth/verify-otp', { phone_number: user.phone, otp_code: user.code }, user),
      );
    }),
    await measure('refresh', users, async (user) => {
      Object.assign(
        user,
        await call(
          'POST',
          '/api/auth/refresh',
          { refresh_token: user.refresh_token },
          { address: user.address },
        ),
      );
    }),
    await measure('profile', users, (user) => call('GET', '/api/auth/profile', undefined, user)),
    await measure('change', users, (user) =>
      call('PATCH', '/api/auth/profile', { bio: 'Trail runner.' }, user),
    ),
  );
  const floor = rows[0].cpu;
  console.table(
    Object.fromEntries(
      rows.map(({ name, perSecond, cpu }) => [
        name,
        {
          'requests/s': Math.round(perSecond),
          'server CPU ms/request': Number(cpu.toFixed(3)),
          'x health': Number((cpu / floor).toFixed(1)),
        },
      ]),
    ),
  );
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.on('exit', resolve));
  if (own) await dropDatabase(process.env.DATABASE_URL, own);
  await rm(directory, { recursive: true, force: true });
  agent.destroy();
}

async function measure(name, items, work) {
  const cpuBefore = await cpuSeconds(server.pid);
  const start = performance.now();
  const queue = items.values();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (const item of queue) await work(item);
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const cpu = (((await cpuSeconds(server.pid)) - cpuBefore) * 1000) / items.length;
  return { name, perSecond: items.length / seconds, cpu };
}

/** User and system time of a process, all its threads (Linux). */
async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function call(method, path, body, { access_token: token, address } = {}) {
  const payload = body && JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${url}${path}`, {
      method,
      agent,
      headers: {
        ...(payload && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
        ...(address && { 'x-forwarded-for': address }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
      });
    });
    outgoing.end(payload);
  });
}

async function readCodes(users) {
  for (let start = 0; start < users.length; start += CLIENTS) {
    await Promise.all(
      users.slice(start, start + CLIENTS).map(async (user) => {
        const { items } = await call('GET', `/dev/inbox/messages?to=${encodeURIComponent(user.phone)}`);
        user.code = items[0].otp_code;
      }),
    );
  }
}
