import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { harness, TestApp } from './app.js';

/** Where the documents say that the server is. */
const SERVER = 'http://localhost:3000';

const TOP = new URL('../../', import.meta.url);

/** Commands of a document, and what it shows as their output. */
export interface Step {
  commands: string;
  /** Nothing where the document shows nothing. */
  answer: string;
}

/** A page of the documents, by its path from the top. */
export function readPage(path: string): Promise<string> {
  return readFile(new URL(path, TOP), 'utf8');
}

/** The part of a page under a heading, up to the next one of the same rank. */
export function sectionOf(page: string, heading: string): string {
  const start = `\n${page}`.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`there is no section "${heading}"`);
  const marks = heading.slice(0, heading.indexOf(' ') + 1);
  const end = page.indexOf(`\n${marks}`, start + heading.length);
  return page.slice(start, end < 0 ? undefined : end);
}

/** The `bash` blocks of a page, each with the `json` or `text` block that shows its output. Blocks in `sh` are not run. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  for (const [, language, content = ''] of page.matchAll(/^```(bash|json|text)\n(.*?)^```$/gms)) {
    const last = steps.at(-1);
    if (language === 'bash') steps.push({ commands: content, answer: '' });
    else if (last && last.answer === '') last.answer = content;
    else throw new Error(`an answer that no commands stand before: ${content}`);
  }
  return steps;
}

/** The paths of our own that commands ask for, with their methods. */
export function requestsOf(steps: readonly Step[]): string[] {
  return steps.flatMap(({ commands }) => {
    const [, path] = /localhost:3000(\/(?:api|dev|\.well-known)\/[a-z./-]+[a-z])/.exec(commands) ?? [];
    if (path === undefined) return [];
    const [, method = / -(?:d|F) /.test(commands) ? 'POST' : 'GET'] = / -X ([A-Z]+)/.exec(commands) ?? [];
    return [`${method} ${path}`];
  });
}

/** The programs that the documents use and Latchkey itself does not: a machine may lack them. */
export function missingPrograms(): string[] {
  return ['bash', 'curl'].filter((program) => spawnSync(program, ['--version']).status !== 0);
}

/** Runs the steps against an app of their own, and expects of each the output that the document shows. */
export async function expectAnswers(steps: readonly Step[]): Promise<void> {
  const app = await TestApp.start({ database: await harness.database() });
  // Its links are made of this URL too, and the commands follow some of them.
  const server = `http://localhost:${new URL(app.started.url).port}`;
  const printed = await paste(steps.map(({ commands }) => commands.replaceAll(SERVER, server)));
  const outputs = printed.map((output) => output.replaceAll(server, SERVER));
  const shown = steps.map(({ commands, answer }) => ({ commands, answer: like(parse(answer)) }));
  expect(steps.map(({ commands }, index) => ({ commands, answer: parse(outputs[index] ?? '') }))).toEqual(
    shown,
  );
}

/** Runs the blocks in one shell, as whoever pastes them does. @returns what each of them printed. */
async function paste(blocks: readonly string[]): Promise<string[]> {
  const script = ['set -euo pipefail', ...blocks.map((block) => `${block}\nprintf '\\0'`)].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    timeout: 50_000,
    // The app runs on this machine, whatever proxy leads out of it.
    env: { ...process.env, no_proxy: '*', NO_PROXY: '*' },
  });
  return stdout.split('\0').slice(0, -1);
}

function parse(output: string): unknown {
  const text = output.trim();
  return text.startsWith('{') ? JSON.parse(text) : text;
}

// What moves with the day, or with how fast a machine is.
const MOVING_NUMBERS = /^(age|retry_after|iat|exp|auth_time)$/;

/** The same keys and values; of ids, times, codes and tokens the same form. A list that ends in "…" may go on. */
function like(shown: unknown, name = ''): unknown {
  if (typeof shown === 'number') return MOVING_NUMBERS.test(name) ? expect.any(Number) : shown;
  if (typeof shown === 'string') return expect.stringMatching(patternOf(shown));
  if (Array.isArray(shown)) {
    const items = shown.filter((item) => item !== '…').map((item) => like(item));
    return items.length < shown.length ? expect.arrayContaining(items) : items;
  }
  if (typeof shown !== 'object' || shown === null) return shown;
  return Object.fromEntries(Object.entries(shown).map(([key, value]) => [key, like(value, key)]));
}

// A UUID, a name of 128 bits, a time, a code, what was cut short, the version of curl.
const VARYING =
  /([0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.]+Z|(?<![\w-])\d{4}(?![\w-])|[\w-]+…|curl\/[\d.]+)/;

function patternOf(shown: string): RegExp {
  const parts = shown.split(VARYING).map((part, index) => (index % 2 === 1 ? formOf(part) : literally(part)));
  return new RegExp(`^${parts.join('')}$`);
}

function formOf(part: string): string {
  if (part.startsWith('curl/')) return 'curl/\\S+';
  return part.endsWith('…') ? '[\\w.-]{20,}' : literally(part).replace(/[0-9a-f]/g, '[0-9a-f]');
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
