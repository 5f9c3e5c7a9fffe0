import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ServerProcess {
  child: ChildProcess;
  /** What it has written so far. */
  output: () => string;
  url: string;
}

interface LaunchOptions {
  environment: Record<string, string>;
  /** Its working directory. */
  directory: string;
  /** For node. */
  flags?: string[];
}

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

function launch({ environment, directory, flags = [] }: LaunchOptions) {
  const child = spawn(process.execPath, [...flags, MAIN], {
    cwd: directory,
    env: { PATH: process.env['PATH'], PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  return { child, texts };
}

/** Runs `node dist/main.js` to its end. */
export async function run(
  options: LaunchOptions,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, texts } = launch(options);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

/** Runs `node dist/main.js` until it says where it serves. */
export async function serve(options: LaunchOptions): Promise<ServerProcess> {
  const { child, texts } = launch(options);
  const output = () => texts.stdout + texts.stderr;
  for (;;) {
    const [, url] = /API +(http:\S+)\/api/.exec(texts.stdout) ?? /"url":"([^"]+)"/.exec(texts.stdout) ?? [];
    if (url) return { child, output, url };
    if (child.exitCode !== null) throw new Error(`it stopped before it served: ${output()}`);
    await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  }
}

/** A module for `--import` that writes the URL of each module that is loaded to standard error. */
export function moduleSpy(): string {
  const hooks =
    "import { writeSync } from 'node:fs';\n" +
    'export function load(url, context, next) { writeSync(2, `loaded ${url}\\n`); return next(url, context); }';
  const toUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
  return toUrl(`import { register } from 'node:module'; register(${JSON.stringify(toUrl(hooks))});`);
}
