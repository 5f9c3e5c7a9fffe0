// Uploads six 10-megapixel JPEGs in one request, several times one after another and then at once, and prints what
// that takes of time, of the server's CPU, and of memory at its peak.
//
//   npm run build && node bench/pictures.mjs [uploads, default 6]
//
// DATABASE_URL uses an existing server (a database is made on it, and dropped); else the embedded one is started.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { createDatabase, dropDatabase } from '../test/helpers/databases.mjs';
import { photograph } from '../test/helpers/draw.mjs';

const UPLOADS = Number(process.argv[2] ?? 6);
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

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
  const photo = await photograph(3648, 2736);
  const tokens = [];
  for (let index = 0; index < 2 * UPLOADS + 1; index += 1) tokens.push(await signIn(index));
  await upload(tokens.pop(), [photo]);
  console.log(`a picture of 3648 x 2736 pixels, ${(photo.length / 1e6).toFixed(1)} MB; six a request`);
  console.table({
    [`${UPLOADS} one after another`]: await measure(async () => {
      for (const token of tokens.splice(0, UPLOADS)) await upload(token, Array(6).fill(photo));
    }),
    [`${UPLOADS} at once`]: await measure(() =>
      Promise.all(tokens.map((token) => upload(token, Array(6).fill(photo)))),
    ),
  });
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.on('exit', resolve));
  if (own) await dropDatabase(process.env.DATABASE_URL, own);
  await rm(directory, { recursive: true, force: true });
}

async function measure(work) {
  // The peak counts from here (Linux).
  await writeFile(`/proc/${server.pid}/clear_refs`, '5');
  const before = { cpu: await cpuSeconds(), memory: await mebibytes('VmRSS') };
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  return {
    'seconds an upload': Number((seconds / UPLOADS).toFixed(2)),
    'server CPU s an upload': Number((((await cpuSeconds()) - before.cpu) / UPLOADS).toFixed(2)),
    'MiB before': before.memory,
    'MiB at the peak': await mebibytes('VmHWM'),
  };
}

/** User and system time of the server, all its threads. */
async function cpuSeconds() {
  const fields = (await readFile(`/proc/${server.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function mebibytes(field) {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)[1]) / 1024);
}

async function signIn(index) {
  const phone = `+55119${60_000_000 + index}`;
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

async function upload(token, files) {
  const form = new FormData();
  for (const file of files) form.append('pictures', new Blob([file], { type: 'image/jpeg' }), 'photo.jpg');
  const answer = await fetch(`${url}/api/auth/profile/pictures`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}
