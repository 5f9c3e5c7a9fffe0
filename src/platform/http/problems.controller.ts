import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { PROBLEMS } from './problem-catalogue.js';
import { PROBLEMS_PAGE } from './problem-response.js';
import { Public } from './public.decorator.js';

/** The page that the `type` of every problem points into. */
@ApiExcludeController()
@Public()
@Controller()
export class ProblemsController {
  @Get(PROBLEMS_PAGE)
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Cache-Control', 'public, max-age=3600')
  page(): string {
    return PAGE;
  }
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Latchkey: problems</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1d2330; }
h2 { font: 600 1.1rem ui-monospace, monospace; margin: 2rem 0 .2rem; }
h2 span { opacity: .7; font-weight: 400; }
:target { background: #fff3bf; }
p { margin: .2rem 0; }
@media (prefers-color-scheme: dark) { body { background: #14171f; color: #e4e7ee; } :target { background: #4a3c00; } }
</style>
<h1>Problems</h1>
<p>Every refusal is <code>application/problem+json</code> (RFC 9457). Decide by <code>code</code>.</p>
${Object.entries(PROBLEMS).map(section).join('\n')}
</html>
`;

function section([code, definition]: [string, { status: number; title: string; advice: string }]): string {
  return (
    `<h2 id="${code}">${code} <span>${definition.status}</span></h2>\n` +
    `<p><strong>${escape(definition.title)}.</strong> ${withCode(escape(definition.advice))}</p>`
  );
}

// Advice marks what is code as Markdown does.
function withCode(html: string): string {
  return html.replace(/`([^`]+)`/g, '<code>$1</code>');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
