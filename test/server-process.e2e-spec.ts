import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { type Answer, aPhoneNumber, problem, TestApp } from './helpers/app.js';
import { Queue } from './helpers/queue.js';

interface ServerProcess {
  process: ChildProcess;
  url: string;
  output: string[];
}

const folders: string[] = [];
const running = new Set<ChildProcess>();

afterAll(async () => {
  for (const child of running) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-server-'));
  folders.push(folder);
  return folder;
}

function launch(folder: string): {
  process: ChildProcess;
  output: string[];
  url: Promise<string | undefined>;
} {
  const child = spawn(process.execPath, [resolve('dist/main.js')], {
    // Where no `.env` of a developer lies.
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', EMBEDDED_DATABASE_DIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const output: string[] = [];
  const url = new Promise<string | undefined>((resolve) => {
    child.once('exit', () => resolve(undefined));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        output.push(line);
        const [, found] = /^ {2}API +(http:\S+)\/api$/.exec(line) ?? [];
        if (found) resolve(found);
      });
    }
  });
  return { process: child, output, url };
}

async function serve(folder: string): Promise<ServerProcess> {
  const { process: child, output, url } = launch(folder);
  const served = await url;
  if (!served) throw new Error(`the server ended:\n${output.join('\n')}`);
  return { process: child, output, url: served };
}

async function post(url: string, body: unknown): Promise<Pick<Answer, 'status' | 'body'>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

async function signIn(
  server: ServerProcess,
  phone: string,
): Promise<{ refresh_token: string; user: { id: string } }> {
  await post(`${server.url}/api/auth/signup`, { phone_number: phone });
  const inbox = await fetch(`${server.url}/dev/inbox/messages?to=${encodeURIComponent(phone)}`);
  const { items } = (await inbox.json()) as { items: { otp_code: string }[] };
  const { body } = await post(`${server.url}/api/auth/verify-otp`, {
    phone_number: phone,
    otp_code: items[0]?.otp_code,
  });
  return body;
}

describe('the server on its embedded PostgreSQL', () => {
  it('says where it serves, and keeps everything across a kill -9', async () => {
    const folder = await aFolder();
    const killed = await serve(folder);
    expect(killed.output.join('\n')).toMatch(
      /Latchkey serves after [\d.]+ s\n {2}API {9}http:\S+\/api\n {2}Swagger UI {2}http:\S+\/docs\n {2}Inbox {7}http:\S+\/dev\/inbox/,
    );
    const phone = aPhoneNumber();
    const { refresh_token, user } = await signIn(killed, phone);
    killed.process.kill('SIGKILL');
    await once(killed.process, 'exit');

    const next = await serve(folder);
    const refreshed = await post(`${next.url}/api/auth/refresh`, { refresh_token });
    expect(refreshed.status).toBe(200);
    const profile = await fetch(`${next.url}/api/auth/profile`, {
      headers: { authorization: `Bearer ${refreshed.body.access_token}` },
    });
    expect(await profile.json()).toMatchObject({ id: user.id, phone_number: phone });
  });

  it('tells a second server on the same folder so, and what to do', async () => {
    const folder = await aFolder();
    const first = await serve(folder);
    const second = launch(folder);
    const [exitCode] = (await once(second.process, 'exit')) as [number];
    expect(exitCode).toBe(1);
    const said = second.output.join('\n');
    expect(said).toContain('in use by another Latchkey server');
    expect(said).toContain('EMBEDDED_DATABASE_DIR');
    expect(said).not.toMatch(/^\s+at /m);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops cleanly on %s, and takes PostgreSQL with it',
    async (signal) => {
      const folder = await aFolder();
      const server = await serve(folder);
      server.process.kill(signal);
      const [exitCode] = (await once(server.process, 'exit')) as [number];
      expect(exitCode).toBe(0);
      // A clean stop leaves nothing to recover, and nothing to take over.
      const next = await serve(folder);
      expect(next.output.join('\n')).not.toContain('Took over');
    },
  );
});

describe('stopping', () => {
  it('finishes what is under way, and sends no new traffic its way', async () => {
    const sending = new Queue<(outcome: unknown) => void>();
    const app = await TestApp.start({ send: () => new Promise((release) => sending.push(release)) });
    const phone = aPhoneNumber();
    const signup = app.signup(phone);
    const release = await sending.next();
    const probe = app.get('/health/ready');
    expect((await probe).status).toBe(200);
    const closed = app.started.close();
    release({ fate: 'accepted' });
    const answer = await signup;
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    await closed;
    await expect(app.get('/health/live')).rejects.toThrow();
  });

  it('turns readiness off first', async () => {
    const app = await TestApp.start();
    const readiness = await app.started.provider<{ stop(): void }>(
      'platform/observability/readiness.js',
      'Readiness',
    );
    readiness.stop();
    const ready = await app.get('/health/ready');
    expect([ready.status, ready.body]).toEqual([503, problem('service_unavailable')]);
    expect((await app.get('/health/live')).status).toBe(200);
  });
});
