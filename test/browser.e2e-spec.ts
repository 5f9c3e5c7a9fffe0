import type { Browser, Page } from 'puppeteer-core';

import { type Answer, harness, TestApp } from './helpers/app.js';

const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true };

let app: TestApp;
let browser: Browser;
let complaints: string[];

beforeAll(async () => {
  [app, browser] = await Promise.all([TestApp.start(), harness.browser()]);
});

beforeEach(() => {
  complaints = [];
});

describe('on a phone', () => {
  it('signs in with Swagger UI and the inbox', async () => {
    const inbox = await open('/dev/inbox');
    await inbox.waitForSelector('::-p-text(No texts yet)', { visible: true });
    const docs = await open('/docs');

    // Every body is sent as it stands there; only the code is filled in.
    await showOperation(docs, 'post', '/api/auth/signup');
    expect(await execute(docs, '/api/auth/signup')).toMatchObject({ status: 200 });

    await inbox.bringToFront();
    const code = await textOf(inbox, '.code');
    await docs.bringToFront();

    await showOperation(docs, 'post', '/api/auth/verify-otp');
    await replaceInBody(docs, '/api/auth/verify-otp', /(?<="otp_code": ")\d+/, code);
    const verified = await execute(docs, '/api/auth/verify-otp');
    expect(verified).toMatchObject({ status: 200, body: { is_new_user: true } });

    await docs.locator('.auth-wrapper .authorize').click();
    await docs.locator('.auth-container input').click();
    await docs.keyboard.sendCharacter(verified.body.access_token);
    await docs.locator('.auth-container button[type=submit]').click();
    await docs.locator('.auth-container .btn-done').click();

    // Another tab is authorized as well.
    const later = await open('/docs');
    await showOperation(later, 'get', '/api/auth/profile');
    expect(await execute(later, '/api/auth/profile')).toMatchObject({
      status: 200,
      body: { phone_number: '+14155552671', name: null },
    });

    await expectNoSidewaysScroll(docs);
    await expectNoSidewaysScroll(inbox);
    expect(complaints).toEqual([]);
  });

  it('shows texts as text, filters them by number and copies their code', async () => {
    await text({ to: '+14155550100', body: '<img src=x onerror="document.title = 1">', code: '1111' });
    await text({ to: '+14155550101', body: `2222 is your code ${'x'.repeat(200)}`, code: '2222' });
    const inbox = await open('/dev/inbox?to=%2B14155550100');
    expect(await textOf(inbox, 'pre')).toContain('<img');
    await inbox.locator('.code').click();
    await inbox.waitForSelector('.line [role=status]::-p-text(copied)');
    await inbox.locator('input').click();
    await inbox.keyboard.press('v', { commands: ['selectAll', 'paste'] });
    expect(await inbox.$eval('input', (input) => input.value)).toBe('1111');

    await inbox.locator('input').fill('+1 415 555 0101');
    await inbox.waitForSelector('::-p-text(2222 is your code)');
    expect(await inbox.$$('.code')).toHaveLength(1);

    await expectNoSidewaysScroll(inbox);
    expect(complaints).toEqual([]);
  });

  it('shows the problem that a link points to', async () => {
    const page = await open('/docs/errors#otp_invalid');
    expect(await textOf(page, ':target')).toContain('otp_invalid');
    await expectNoSidewaysScroll(page);
    expect(complaints).toEqual([]);
  });
});

/** A page on a phone; what it complains of, or asks of another server, is kept in `complaints`. */
async function open(path: string): Promise<Page> {
  const page = await browser.newPage();
  await page.setViewport(PHONE);
  // The browser reports a violated Content-Security-Policy as an error as well.
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${app.started.url}/`) && !url.startsWith('data:')) complaints.push(`asks ${url}`);
  });
  await page.goto(`${app.started.url}${path}`);
  return page;
}

async function textOf(page: Page, selector: string): Promise<string> {
  const element = await page.waitForSelector(selector);
  return element!.evaluate((node) => node.textContent);
}

function operation(path: string): string {
  return `.opblock:has([data-path="${path}"])`;
}

async function showOperation(page: Page, method: string, path: string): Promise<void> {
  await page.locator(`${operation(path)} .opblock-summary-control`).click();
  // Swagger UI resolves an operation a moment after it shows it; whoever is quicker than that gets an error.
  await page.waitForFunction(
    (...steps) => (globalThis as unknown as SwaggerPage).ui.specSelectors.specResolvedSubtree(steps),
    {},
    'paths',
    path,
    method,
  );
}

interface SwaggerPage {
  ui: { specSelectors: { specResolvedSubtree(path: string[]): unknown } };
}

async function replaceInBody(page: Page, path: string, old: RegExp, text: string): Promise<void> {
  const body = await page.waitForSelector(`${operation(path)} textarea`);
  const [found] = old.exec(await body!.evaluate((area) => area.value)) ?? [];
  await body!.evaluate((area, part) => {
    area.focus();
    area.setSelectionRange(area.value.indexOf(part!), area.value.indexOf(part!) + part!.length);
  }, found);
  await page.keyboard.sendCharacter(text);
}

/** Presses Execute, and reads the answer off the page. */
async function execute(page: Page, path: string): Promise<Pick<Answer, 'status' | 'body'>> {
  await page.locator(`${operation(path)} .execute`).click();
  const answer = `${operation(path)} .live-responses-table`;
  const status = await textOf(page, `${answer} .response .response-col_status`);
  return { status: Number.parseInt(status), body: JSON.parse(await textOf(page, `${answer} pre code`)) };
}

async function expectNoSidewaysScroll(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
}

async function text({ to, body, code }: { to: string; body: string; code: string }): Promise<void> {
  await app.sql(
    `INSERT INTO sms_inbox (id, recipient, body, otp_code, purpose, sent_at)
     VALUES (gen_random_uuid(), $1, $2, $3, 'sign_in', now())`,
    [to, body, code],
  );
}
