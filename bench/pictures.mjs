// Uploads pictures to a server of its own, and prints what that takes: of time, of CPU, of memory at its peak, and of
// everybody else. First six 10-megapixel JPEGs a request, one request after another and then at once; then one picture
// of 10 MiB from each of thirty phones at once, for the pictures that cost most, while others sign in.
//
//   npm run build && node bench/pictures.mjs [uploads, default 6] [phones, default 30]
//
// DATABASE_URL uses an existing server (a database is made on it, and dropped); else the embedded one is started.
// Memory and CPU are read from /proc: Linux only.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { createDatabase, dropDatabase } from '../test/helpers/databases.mjs';
import { flat, padded, photograph } from '../test/helpers/draw.mjs';

const UPLOADS = Number(process.argv[2] ?? 6);
const PHONES = Number(process.argv[3] ?? 30);
const MEBIBYTE = 1024 * 1024;
const QUIET_MS = 5000;
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

// Measures in the server how late its timers are.
const LAG_METER = `
  import { monitorEventLoopDelay } from 'node:perf_hooks';
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  process.on('message', () => {
    process.send({ p99: lag.percentile(99) / 1e6, max: lag.max / 1e6 });
    lag.reset();
  });`;

const directory = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
const own = process.env.DATABASE_URL ? await createDatabase(process.env.DATABASE_URL) : undefined;
const meter = `data:text/javascript,${encodeURIComponent(LAG_METER)}`;
const server = spawn(process.execPath, ['--import', meter, 'dist/main.js'], {
  cwd: new URL('..', import.meta.url),
  env: {
    ...process.env,
    PORT: '0',
    EMBEDDED_DATABASE_DIR: directory,
    STORAGE_DIR: join(directory, 'pictures'),
    LOG_LEVEL: 'warn',
    // All requests come from one address.
    RATE_LIMIT_PER_MINUTE: '1000000000',
    RATE_LIMIT_ANONYMOUS_PER_MINUTE: '1000000000',
    UPLOADS_PER_HOUR: '1000000',
    ...(own && { DATABASE_URL: own }),
  },
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
});
const url = await new Promise((resolve) => {
  createInterface(server.stdout).on('line', (line) => {
    const found = /API\s+(http\S+)\/api/.exec(line);
    if (found) resolve(found[1]);
  });
});

let people = 0;
try {
  await manyPicturesInARequest();
  await manyPhones();
} finally {
  server.kill('SIGTERM');
  await once(server, 'exit');
  if (own) await dropDatabase(process.env.DATABASE_URL, own);
  await rm(directory, { recursive: true, force: true });
}

async function manyPicturesInARequest() {
  const photo = await photograph(3648, 2736);
  const tokens = await signInAll(2 * UPLOADS + 1);
  await upload(tokens.pop(), [photo]);
  console.log(`a picture of 3648 x 2736 pixels, ${(photo.length / 1e6).toFixed(1)} MB; six a request`);
  const anUpload = ({ seconds, cpu, ...memory }) => ({
    'seconds an upload': Number((seconds / UPLOADS).toFixed(2)),
    'CPU s an upload': Number((cpu / UPLOADS).toFixed(2)),
    ...memory,
  });
  console.table({
    [`${UPLOADS} one after another`]: anUpload(
      await measure(async () => {
        for (const token of tokens.splice(0, UPLOADS)) await upload(token, Array(6).fill(photo));
      }),
    ),
    [`${UPLOADS} at once`]: anUpload(
      await measure(() => Promise.all(tokens.map((token) => upload(token, Array(6).fill(photo))))),
    ),
  });
}

async function manyPhones() {
  const pictures = {
    'JPEG, 12 megapixels': await photograph(4032, 3024, { quality: 96 }),
    'progressive JPEG, 50': await flat('jpeg', { progressive: true }),
    'PNG, 50': await flat('png'),
    'interlaced PNG, 50': await flat('png', { progressive: true }),
    'lossless WebP, 50': await flat('webp', { lossless: true }),
    'AVIF, 50': await flat('avif', { effort: 0 }),
  };
  const { signIn: quiet, ...idle } = await measure(() => new Promise((end) => setTimeout(end, QUIET_MS)), {
    signsIn: true,
  });
  console.log(`${PHONES} phones upload 10 MiB each at once; meanwhile others sign in`);
  const rows = { 'nothing but sign-ins': { ...idle, 'sign-in ms': Math.round(quiet) } };
  for (const [name, picture] of Object.entries(pictures)) {
    const file = padded(picture, 10 * MEBIBYTE);
    const tokens = await signInAll(PHONES);
    const statuses = {};
    const { signIn: busy, ...measured } = await measure(
      () =>
        Promise.all(
          tokens.map(async (token) => {
            const status = await upload(token, [file], { refused: true });
            statuses[status] = (statuses[status] ?? 0) + 1;
          }),
        ),
      { signsIn: true },
    );
    rows[name] = {
      answers: Object.entries(statuses)
        .map(([status, count]) => `${count} x ${status}`)
        .join(', '),
      ...measured,
      'sign-in ms': Math.round(busy),
      'of a quiet one': Number((busy / quiet).toFixed(1)),
    };
  }
  console.table(rows);
}

/** What `work` takes of the server, and how long sign-ins take meanwhile (the median). */
async function measure(work, { signsIn = false } = {}) {
  // The peak counts from here (Linux).
  await writeFile(`/proc/${server.pid}/clear_refs`, '5');
  await lag();
  const before = { cpu: await cpuSeconds(), memory: await mebibytes('VmRSS') };
  const start = performance.now();
  let isOver = false;
  const decoders = peakOfChildren(() => isOver);
  const signIns = signsIn ? signInUntil(() => isOver) : undefined;
  await work();
  isOver = true;
  const seconds = (performance.now() - start) / 1000;
  const { p99, max } = await lag();
  return {
    seconds: Number(seconds.toFixed(2)),
    cpu: Number(((await cpuSeconds()) - before.cpu).toFixed(2)),
    'MiB before': before.memory,
    'MiB at the peak': await mebibytes('VmHWM'),
    'and its children': await decoders,
    'lag p99 ms': Number(p99.toFixed(1)),
    'lag max ms': Number(max.toFixed(1)),
    ...(signIns && { signIn: median(await signIns) }),
  };
}

async function lag() {
  server.send('how late?');
  const [measured] = await once(server, 'message');
  return measured;
}

/** What the processes that the server has started hold together, at the most; sampled. */
async function peakOfChildren(isOver) {
  let peak = 0;
  while (!isOver()) {
    const sizes = await Promise.all((await children()).map((pid) => mebibytes('VmRSS', pid).catch(() => 0)));
    peak = Math.max(
      peak,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return peak;
}

/** The decoders: the embedded database is a child of the server too. */
async function children() {
  const found = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [stat = '', command = ''] = await Promise.all(
      ['stat', 'cmdline'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
    );
    if (Number(stat.split(') ')[1]?.split(' ')[1]) === server.pid && command.includes('decoder'))
      found.push(name);
  }
  return found;
}

/** User and system time of the server, all its threads, and of its decoders, those that have ended too. */
async function cpuSeconds() {
  const decoders = await children();
  const times = await Promise.all([
    ticksOf(server.pid, [11, 12, 13, 14]),
    ...decoders.map((pid) => ticksOf(pid, [11, 12])),
  ]);
  return times.reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND;
}

async function ticksOf(pid, fields) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const values = stat.split(') ')[1]?.split(' ') ?? [];
  return fields.reduce((sum, field) => sum + Number(values[field] ?? 0), 0);
}

async function mebibytes(field, pid = server.pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)[1]) / 1024);
}

async function signInAll(count) {
  const tokens = [];
  for (let index = 0; index < count; index += 1) tokens.push(await signIn());
  return tokens;
}

async function signInUntil(isOver) {
  const times = [];
  while (!isOver()) {
    const start = performance.now();
    await signIn();
    times.push(performance.now() - start);
  }
  return times;
}

function median(numbers) {
  return numbers.sort((one, other) => one - other)[Math.floor(numbers.length / 2)];
}

async function signIn() {
  const phone = `+55119${60_000_000 + people}`;
  people += 1;
  await post('/api/auth/signup', { phone_number: phone });
  const inbox = await fetch(`${url}/dev/inbox/messages?to=${encodeURIComponent(phone)}`);
  const { items } = await inbox.json();
  const { access_token: token } = await post('/api/auth/verify-otp', {
    phone_number: phone,
    otp_code: items[0].otp_code,
  });
  return token;
}

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function upload(token, files, { refused = false } = {}) {
  const form = new FormData();
  for (const file of files) form.append('pictures', new Blob([file], { type: 'image/jpeg' }), 'photo.jpg');
  const answer = await fetch(`${url}/api/auth/profile/pictures`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  const text = await answer.text();
  if (answer.status !== 201 && !refused) throw new Error(`${answer.status} ${text}`);
  return answer.status;
}
