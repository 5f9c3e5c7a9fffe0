import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { TestApp } from './helpers/app.js';

const README = new URL('../README.md', import.meta.url);
const WALK = '## The same with curl';
const SERVER = 'http://localhost:3000';

interface Step {
  /** A block of shell commands. */
  commands: string;
  /** What the README shows under them; nothing where they print nothing. */
  answer: string;
}

describe('the walk with curl in README.md', () => {
  let steps: Step[];
  beforeAll(async () => {
    steps = stepsOf(await readFile(README, 'utf8'));
  });

  it('goes from asking for a code to the end of the session', () => {
    const path = /\/(?:api\/auth|dev\/inbox)\/[a-z-]+/;
    expect(steps.flatMap(({ commands }) => path.exec(commands)?.[0] ?? [])).toEqual([
      '/api/auth/signup',
      '/dev/inbox/messages',
      '/api/auth/verify-otp',
      '/api/auth/profile',
      '/api/auth/refresh',
      '/api/auth/logout',
      '/api/auth/profile',
    ]);
  });

  // Latchkey itself needs neither of them, so a machine may lack them.
  const missing = ['bash', 'curl'].filter((program) => spawnSync(program, ['--version']).status !== 0);
  if (missing.length > 0) {
    process.stderr.write(
      `The walk of README.md is not run: this machine has no ${missing.join(' and no ')}\n`,
    );
    return;
  }

  it('answers what the README shows when it is pasted into a shell', async () => {
    // Links in answers are then those of the README, whatever the port.
    const app = await TestApp.start({ env: { PUBLIC_URL: SERVER } });
    const outputs = await paste(steps.map(({ commands }) => commands.replaceAll(SERVER, app.started.url)));
    expect(outputs.map(parse)).toEqual(steps.map(({ answer }) => like(parse(answer))));
  });
});

function stepsOf(readme: string): Step[] {
  const start = readme.indexOf(`\n${WALK}\n`);
  if (start < 0) throw new Error(`README.md has no section "${WALK}"`);
  const [section = ''] = readme.slice(start + 1).split(/\n(?=## )/, 1);
  const steps: Step[] = [];
  for (const [, language, content = ''] of section.matchAll(/^```(bash|json)\n(.*?)^```$/gms)) {
    const last = steps.at(-1);
    if (language === 'bash') steps.push({ commands: content, answer: '' });
    else if (last && last.answer === '') last.answer = content;
    else throw new Error(`README.md shows an answer that no commands stand before: ${content}`);
  }
  return steps;
}

/** Runs the blocks in one shell, as whoever pastes them does. @returns what each of them printed. */
async function paste(blocks: readonly string[]): Promise<string[]> {
  const script = ['set -euo pipefail', ...blocks.map((block) => `${block}\nprintf '\\0'`)].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    timeout: 30_000,
    // The app runs on this machine, whatever proxy leads out of it.
    env: { ...process.env, no_proxy: '*', NO_PROXY: '*' },
  });
  return stdout.split('\0').slice(0, -1);
}

function parse(output: string): unknown {
  return output.trim() === '' ? '' : JSON.parse(output);
}

/** The same keys and values; of ids, times, codes and tokens the same form. */
function like(shown: unknown): unknown {
  if (typeof shown === 'string') return expect.stringMatching(patternOf(shown));
  if (Array.isArray(shown)) return shown.map(like);
  if (typeof shown !== 'object' || shown === null) return shown;
  return Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, like(value)]));
}

// A UUID, a time, a code, a token that was cut short.
const VARYING = /([0-9a-f-]{36}|\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d{4}\b|[\w-]+…)/;

function patternOf(shown: string): RegExp {
  const parts = shown.split(VARYING).map((part, index) => (index % 2 === 1 ? formOf(part) : literally(part)));
  return new RegExp(`^${parts.join('')}$`);
}

function formOf(part: string): string {
  return part.endsWith('…') ? '[\\w.-]{60,}' : literally(part).replace(/[0-9a-f]/g, '[0-9a-f]');
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
