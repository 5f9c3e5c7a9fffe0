import { access, readdir } from 'node:fs/promises';

import { harness, TestApp } from './helpers/app.js';
import { expectAnswers, missingPrograms, readPage, requestsOf, sectionOf, stepsOf } from './helpers/walk.js';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/PHONE_AUTHENTICATION.md',
  'docs/INTEGRATION_GUIDE.md',
  'docs/OPERATIONS.md',
];

interface Catalogue {
  PROBLEMS: Record<string, { status: number; members?: Record<string, string> }>;
  FIELD_CODES: Record<string, string>;
}

describe('docs/PHONE_AUTHENTICATION.md', () => {
  let page: string;
  beforeAll(async () => {
    page = await readPage('docs/PHONE_AUTHENTICATION.md');
  });

  it('asks for each step of the flow', () => {
    expect(requestsOf(stepsOf(page))).toEqual([
      'POST /api/auth/signup',
      'POST /api/auth/signup',
      'GET /dev/inbox/messages',
      'POST /api/auth/verify-otp',
      'POST /api/auth/verify-otp',
      'POST /api/auth/refresh',
      'POST /api/auth/refresh',
      'GET /.well-known/jwks.json',
      'GET /api/auth/sessions',
      'DELETE /api/auth/sessions',
      'GET /api/auth/event-interests',
      'POST /api/auth/profile/pictures',
      'PUT /api/auth/profile/pictures/order',
      'DELETE /api/auth/profile/pictures',
      'GET /api/auth/profile/pictures',
      'POST /api/auth/complete-profile',
      'POST /api/auth/complete-profile',
      'GET /api/auth/profile',
      'GET /api/auth/profile',
      'PATCH /api/auth/profile',
      'PATCH /api/auth/profile',
      'PUT /api/auth/profile/coordinates',
      'PUT /api/auth/profile/coordinates',
      'DELETE /api/auth/profile/coordinates',
      'GET /api/users',
      'GET /api/users',
      'PUT /api/auth/push-token',
      'DELETE /api/auth/push-token',
      'POST /api/auth/phone-number',
      'POST /api/auth/phone-number',
      'GET /dev/inbox/messages',
      'POST /api/auth/phone-number/verify',
      'POST /api/auth/logout',
      'GET /api/auth/profile',
      'POST /api/auth/signup',
      'GET /api/auth/activity',
      'GET /api/auth/account/export',
      'DELETE /api/auth/account',
      'DELETE /api/auth/account',
      'POST /api/auth/signup',
    ]);
  });

  it('names every operation that an app calls', async () => {
    const app = await TestApp.start();
    const { body } = await app.get('/docs/openapi.json');
    const operations = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const ofApps = operations.filter((operation) => /^[A-Z]+ \/api\/(auth|users)\b/.test(operation));
    expect(ofApps.filter((operation) => !new RegExp(`\`${operation}[\`?]`).test(page))).toEqual([]);
    const named = [...page.matchAll(/`([A-Z]+ \/[^`?]+)[`?]/g)].map(([, operation]) => operation);
    expect(named.filter((operation) => !operations.includes(operation ?? ''))).toEqual([]);
  });

  it('says of each problem of the catalogue, and of no other, what to do', async () => {
    const { PROBLEMS } = await harness.load<Catalogue>('platform/http/problem-catalogue.js');
    const entries = sectionOf(page, '## Every refusal').matchAll(
      /^- \*\*(\d{3}) `(\w+)`\*\*(?: \(`(\w+)`\))?: /gm,
    );
    const named = [...entries].map(([, status, code, member]) => ({ code, status: Number(status), member }));
    const there = Object.entries(PROBLEMS).map(([code, { status, members = {} }]) => {
      return { code, status, member: Object.keys(members)[0] };
    });
    expect(named.sort(byCode)).toEqual(there.sort(byCode));
  });

  it('explains each code of a field, and no other', async () => {
    const { FIELD_CODES } = await harness.load<Catalogue>('platform/http/problem-catalogue.js');
    const [, table = ''] = page.split('| `code` of a field');
    const [rows = ''] = table.split('\n\n', 1);
    const named = [...rows.matchAll(/^\| `(\w+)` /gm)].map(([, code]) => code);
    expect(named.sort()).toEqual(Object.keys(FIELD_CODES).sort());
  });

  if (missingPrograms().length > 0) return;

  it('shows the answers that its commands get', async () => {
    await expectAnswers(stepsOf(page));
  });
});

describe('docs/OPERATIONS.md', () => {
  it('explains each metric of ours, and no other', async () => {
    const app = await TestApp.start();
    const { body } = await app.get('/metrics');
    const there = [...(body as string).matchAll(/^# TYPE (latchkey_\w+) /gm)].map(([, name]) => name);
    const table = sectionOf(await readPage('docs/OPERATIONS.md'), '## Metrics');
    const explained = [...table.matchAll(/^\| `(latchkey_\w+)`/gm)].map(([, name]) => name);
    expect(explained.sort()).toEqual(there.sort());
  });
});

describe('docs/INTEGRATION_GUIDE.md', () => {
  it('quotes the example as it stands, but for what it calls a sketch', async () => {
    const page = await readPage('docs/INTEGRATION_GUIDE.md');
    const files = await readdir(new URL('../examples/events/', import.meta.url));
    const sources = await Promise.all(files.map((file) => readPage(`examples/events/${file}`)));
    const quoted = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
    expect(quoted).not.toEqual([]);
    expect(quoted.filter((code) => !sources.some((source) => source.includes(code)))).toEqual([]);
  });

  it('names everything that the package exports', async () => {
    const page = await readPage('docs/INTEGRATION_GUIDE.md');
    const exported = (await readPage('src/index.ts')).matchAll(/^export (?:type )?\{(.*?)\} from/gm);
    const names = [...exported].flatMap(([, list = '']) =>
      list.split(',').map((name) => name.replace('type ', '').trim()),
    );
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe.each(PAGES)('the links of %s', (path) => {
  it('lead to files that are there, and to headings in them', async () => {
    const page = await readPage(path);
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]*)(#[^)]*)?\)/g)];
    const broken: string[] = [];
    for (const [link, target = '', anchor] of links) {
      const file = new URL(target || path.replace(/.*\//, ''), new URL(`../${path}`, import.meta.url));
      const isThere = await access(file).then(
        () => true,
        () => false,
      );
      const headings = isThere && anchor ? headingsOf(await readPage(file.pathname)) : [];
      if (!isThere || (anchor && !headings.includes(anchor))) broken.push(link);
    }
    expect(broken).toEqual([]);
  });
});

/** As GitHub names them. */
function headingsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(
    ([, text = '']) =>
      `#${text
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-')}`,
  );
}

function byCode(
  { code: one = '' }: { code?: string | undefined },
  { code: other = '' }: { code?: string | undefined },
): number {
  return one < other ? -1 : 1;
}
