import type { Browser, ElementHandle, Page } from 'puppeteer-core';

import { type Answer, harness, TestApp } from './app.js';

export const SCREEN = { width: 390, height: 844, isMobile: true, hasTouch: true };

/** A browser on a phone, with an app of its own. */
export class PhoneBrowser {
  /** What its pages complain of, or ask of another server. */
  complaints: string[] = [];

  private constructor(
    readonly app: TestApp,
    private readonly browser: Browser,
  ) {}

  static async start(): Promise<PhoneBrowser> {
    const [app, browser] = await Promise.all([TestApp.start(), harness.browser()]);
    return new PhoneBrowser(app, browser);
  }

  /** A new tab, of a path or of a whole URL. */
  async open(address: string): Promise<Page> {
    const { href, origin } = new URL(address, this.app.started.url);
    const page = await this.browser.newPage();
    await page.setViewport(SCREEN);
    // The browser reports a violated Content-Security-Policy as an error as well.
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) this.complaints.push(`asks ${url}`);
    });
    await page.goto(href);
    return page;
  }
}

export async function textOf(page: Page, selector: string): Promise<string> {
  const element = await page.waitForSelector(selector);
  return element!.evaluate((node) => node.textContent);
}

/** Neither the page nor a box in it is wider inside than outside. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(SCREEN.width);
  const boxes = await page.$$eval('body *', (elements) =>
    elements
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .filter((element) => /auto|scroll/.test(getComputedStyle(element).overflowX))
      .map(({ outerHTML }) => outerHTML.slice(0, 200)),
  );
  expect(boxes).toEqual([]);
}

/** Waits for the only picture at a selector, and answers its own width and the one that it is shown at. */
export async function widthsOf(page: Page, selector: string): Promise<{ own: number; shown: number }> {
  const image = await page.waitForSelector(selector);
  return (image as ElementHandle<HTMLImageElement>).evaluate(async (element) => {
    await element.decode();
    return { own: element.naturalWidth, shown: element.width };
  });
}

/** Gives Swagger UI an access token, in place of that of another tab. */
export async function authorize(page: Page, token: string): Promise<void> {
  await page.locator('.auth-wrapper .authorize').click();
  await page.waitForSelector('.auth-container .btn-done');
  await (await page.$('.auth-container button::-p-text(Logout)'))?.click();
  await page.locator('.auth-container input').click();
  await page.keyboard.sendCharacter(token);
  await page.locator('.auth-container button[type=submit]').click();
  await page.locator('.auth-container .btn-done').click();
}

/** An operation in Swagger UI. */
export class Operation {
  private readonly block: string;

  private constructor(
    private readonly page: Page,
    method: string,
    path: string,
  ) {
    this.block = `.opblock-${method}:has([data-path="${path}"])`;
  }

  /** Unfolds it. */
  static async show(page: Page, method: string, path: string): Promise<Operation> {
    const operation = new Operation(page, method, path);
    await page.locator(`${operation.block} .opblock-summary-control`).click();
    // Swagger UI resolves an operation a moment after it shows it; whoever is quicker than that gets an error.
    await page.waitForFunction(
      (...steps) => (globalThis as unknown as SwaggerPage).ui.specSelectors.specResolvedSubtree(steps),
      {},
      'paths',
      path,
      method,
    );
    return operation;
  }

  /** Types over what is found in the body. */
  async replaceInBody(old: RegExp, text: string): Promise<void> {
    const body = await this.page.waitForSelector(`${this.block} textarea`);
    const area = body as ElementHandle<HTMLTextAreaElement>;
    const [found] = old.exec(await area.evaluate(({ value }) => value)) ?? [];
    await area.evaluate((element, part) => {
      element.focus();
      element.setSelectionRange(element.value.indexOf(part!), element.value.indexOf(part!) + part!.length);
    }, found);
    await this.page.keyboard.sendCharacter(text);
  }

  /** Fills in its first parameter. */
  async fillIn(text: string): Promise<void> {
    await this.page.locator(`${this.block} .parameters tr:first-of-type input`).fill(text);
  }

  /** Chooses files for its body, a row each; the first row is there already. */
  async attach(files: readonly string[]): Promise<void> {
    for (const [row, file] of files.entries()) {
      if (row > 0) await this.page.locator(`${this.block} .json-schema-form-item-add`).click();
      const [chooser] = await Promise.all([
        this.page.waitForFileChooser(),
        this.page.locator(`${this.block} :nth-child(${row + 1} of .json-schema-form-item) input`).click(),
      ]);
      await chooser.accept([file]);
    }
  }

  /** Presses Execute, and reads the answer off the page. */
  async execute(): Promise<Pick<Answer, 'status' | 'body'>> {
    const status = await this.send();
    const body = status === 204 ? null : JSON.parse(await textOf(this.page, `${this.answer} pre code`));
    return { status, body };
  }

  /** Presses Execute, and looks at the picture that the page then shows. */
  async executeForPicture(): Promise<{ status: number; own: number; shown: number }> {
    const status = await this.send();
    return { status, ...(await widthsOf(this.page, `${this.answer} img`)) };
  }

  private async send(): Promise<number> {
    await this.page.locator(`${this.block} .execute`).click();
    return Number.parseInt(await textOf(this.page, `${this.answer} .response-col_status`));
  }

  private get answer(): string {
    return `${this.block} .live-responses-table .response`;
  }
}

interface SwaggerPage {
  ui: { specSelectors: { specResolvedSubtree(path: string[]): unknown } };
}
