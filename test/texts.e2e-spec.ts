import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { aPhoneNumber, harness, problem, type SignedInUser, TestApp } from './helpers/app.js';
import { aCodeFor, move, noticesTo } from './helpers/phone-change.js';
import { run } from './helpers/server-process.js';
import { readPage, sectionOf } from './helpers/walk.js';

let app: TestApp;
let folder: string;
beforeAll(async () => {
  app = await TestApp.start();
  folder = await mkdtemp(join(tmpdir(), 'latchkey-texts-'));
});

afterAll(() => rm(folder, { recursive: true }));

const accepting = (languages: string) => ({ 'accept-language': languages });

/** What a signup is texted, with the code as `{code}`. */
async function textedBy(
  at: TestApp,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
  phone = aPhoneNumber(),
): Promise<string> {
  const { status } = await at.post('/api/auth/signup', { phone_number: phone, ...more }, headers);
  expect(status).toBe(200);
  return newestText(at, phone);
}

async function newestText(at: TestApp, phone: string): Promise<string> {
  const [text] = await at.texts(phone);
  return (text?.body ?? '').replaceAll(text?.otp_code ?? 'none', '{code}');
}

/** A folder with these files. */
async function templates(name: string, files: Record<string, unknown>): Promise<string> {
  const directory = join(folder, name);
  await mkdir(directory);
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return directory;
}

const ENGLISH =
  '{code} is your Latchkey code. It expires in 10 minutes. Do not share it.\n\n@localhost #{code}';
const FRENCH =
  '{code} est votre code Latchkey. Il expire dans 10 minutes. Ne le partagez pas.\n\n@localhost #{code}';
const PORTUGUESE =
  '{code} é o seu PIN para entrar em Latchkey. Vale por 10 minutos. Nunca o compartilhe.\n\n@localhost #{code}';
const HINDI = '{code} आपका Latchkey कोड है। किसी को न बताएं।\n\n@localhost #{code}';
const ARABIC = '{code} رمزك في Latchkey. لا تشاركه مع أحد.\n\n@localhost #{code}';

describe('the text of a signup', () => {
  it.each([
    ['pt-BR', PORTUGUESE],
    ['pt-PT', PORTUGUESE],
    ['PT', PORTUGUESE],
    ['fr-CA', FRENCH],
    ['hi-IN', HINDI],
    ['ar-EG-u-nu-arab', ARABIC],
    ['de', ENGLISH],
    ['tlh', ENGLISH],
    [null, ENGLISH],
  ])('is in the language of locale %j', async (locale, text) => {
    expect(await textedBy(app, { locale })).toBe(text);
  });

  it.each([
    ['fr', FRENCH],
    ['de-DE, de;q=0.9, hi;q=0.7, fr;q=0.8', FRENCH],
    ['fr;q=0, pt', PORTUGUESE],
    ['*', ENGLISH],
    ['de', ENGLISH],
    [';;q=,=', ENGLISH],
  ])('is in the language of Accept-Language: %s', async (languages, text) => {
    expect(await textedBy(app, {}, accepting(languages))).toBe(text);
  });

  it('is in the language of locale where that says another than Accept-Language', async () => {
    expect(await textedBy(app, { locale: 'pt' }, accepting('fr'))).toBe(PORTUGUESE);
    expect(await textedBy(app, { locale: 'de' }, accepting('fr'))).toBe(ENGLISH);
  });

  it('is the same for a known number as for a new one, in every language', async () => {
    const known = await app.signIn();
    for (const locale of ['en', 'pt', 'es', 'fr', 'hi', 'ar']) {
      await app.endWaits();
      const toKnown = await textedBy(app, { locale }, {}, known.phoneNumber);
      expect(toKnown).toBe(await textedBy(app, { locale }));
    }
  });

  it('is another question for the same Idempotency-Key only if the body is', async () => {
    const phone = aPhoneNumber();
    const signup = (body: object, languages: string) =>
      app.post(
        '/api/auth/signup',
        { phone_number: phone, ...body },
        { ...accepting(languages), 'idempotency-key': `of-the-texts-of-${phone}` },
      );
    const first = await signup({ locale: 'fr' }, 'en');
    const again = await signup({ locale: 'fr' }, 'hi');
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await signup({ locale: 'pt' }, 'en')).body).toEqual(problem('idempotency_key_reused'));
    expect(await app.texts(phone)).toHaveLength(1);
  });

  it('has one segment with the hash of an Android app and the longest code, in every language', async () => {
    const android = await TestApp.start({
      env: { SMS_ANDROID_APP_HASHES: 'android=FA+9qCX9VSu', SMS_DOMAIN: 'app.example.com' },
    });
    const { segmentUse } = await harness.load<{ segmentUse: (text: string) => object }>(
      'otp/texts/segment.js',
    );
    for (const locale of ['en', 'pt', 'es', 'fr', 'hi', 'ar']) {
      const phone = aPhoneNumber();
      await android.signup(phone, { locale, app: 'android', min_code_length: 8 });
      const [text] = await android.texts(phone);
      expect(text?.body).toMatch(/^\d{8} [^\n]+\n\nFA\+9qCX9VSu(\n@app\.example\.com #\d{8})?$/);
      expect(segmentUse(text?.body ?? '')).toMatchObject({
        encoding: /hi|ar/.test(locale) ? 'UCS-2' : 'GSM-7',
        excess: 0,
      });
    }
  });
});

describe('the texts of a phone change', () => {
  const ask = (user: SignedInUser, body: object, languages = '*') =>
    app.post('/api/auth/phone-number', body, { ...user.bearer, ...accepting(languages) });

  it('are in the language of locale, else of Accept-Language', async () => {
    const user = await app.signIn();
    const phone = aPhoneNumber();
    expect((await ask(user, { phone_number: phone, locale: 'es' }, 'fr')).status).toBe(200);
    expect(await newestText(app, phone)).toMatch(
      /^\{code\} es su PIN para pasar su cuenta de Latchkey a este/,
    );
    const other = aPhoneNumber();
    expect((await ask(user, { phone_number: other }, 'hi')).status).toBe(200);
    expect(await newestText(app, other)).toMatch(/^\{code\} Latchkey नंबर बदलने का कोड/);
  });

  it('tell the old number in the language of the move', async () => {
    const user = await app.signIn();
    const phone = aPhoneNumber();
    const code = await aCodeFor(app, user, phone);
    const speaking = { ...user, bearer: { ...user.bearer, ...accepting('fr-FR,fr;q=0.9') } };
    expect((await move(app, speaking, phone, code)).status).toBe(200);
    expect(await noticesTo(app, user.phoneNumber)).toEqual([
      expect.objectContaining({ body: expect.stringMatching(/^Votre compte Latchkey est passé à un autre/) }),
    ]);
  });

  it('tell it in English what the previous version has queued', async () => {
    const to = aPhoneNumber();
    await app.runJob('phone-change-notice', { to, until: app.clock.now().getTime() + 1000 });
    expect(await newestText(app, to)).toMatch(/^Your Latchkey account has moved/);
  });
});

describe('SMS_TEMPLATES_DIR', () => {
  it('adds languages, and replaces single texts', async () => {
    const directory = await templates('good', {
      'de.json': { sign_in: '{code} ist Ihr Code für {app}. Er gilt {minutes}.' },
      'fr-CA.json': { sign_in: '{code} est votre code de connexion à {app}.' },
      'pt.json': { phone_change_notice: 'A conta {app} mudou de telefone.' },
      'README.md': 'Not a text.',
    });
    const own = await TestApp.start({
      env: { SMS_TEMPLATES_DIR: directory, OTP_TTL_SECONDS: '60' },
    });
    const lines = '\n\n@localhost #{code}';
    expect(await textedBy(own, { locale: 'de-AT' })).toBe(
      `{code} ist Ihr Code für Latchkey. Er gilt 1 Minute.${lines}`,
    );
    expect(await textedBy(own, { locale: 'fr-CA' })).toBe(
      `{code} est votre code de connexion à Latchkey.${lines}`,
    );
    expect(await textedBy(own, { locale: 'fr' })).toBe(FRENCH.replace('10 minutes', '1 minute'));
    expect(await textedBy(own, { locale: 'pt' })).toBe(PORTUGUESE.replace('10 minutos', '1 minuto'));
    const notices = ['pt-BR', 'fr-CA', 'de'].map(async (language) => {
      const to = aPhoneNumber();
      const until = own.clock.now().getTime() + 1000;
      await own.runJob('phone-change-notice', { to, until, languages: [language] });
      return newestText(own, to);
    });
    expect(await Promise.all(notices)).toEqual([
      'A conta Latchkey mudou de telefone.',
      expect.stringMatching(/^Votre compte/),
      expect.stringMatching(/^Your Latchkey account/),
    ]);
  });

  it('takes the texts that docs/OPERATIONS.md shows', async () => {
    const section = sectionOf(await readPage('docs/OPERATIONS.md'), '## Texts of your own');
    const [, shown = ''] = /^```json\n(.*?)^```$/ms.exec(section) ?? [];
    const own = await TestApp.start({
      env: {
        SMS_TEMPLATES_DIR: await templates('shown', { 'de.json': shown }),
        SMS_DOMAIN: 'app.example.com',
        SMS_ANDROID_APP_HASHES: 'android=FA+9qCX9VSu',
      },
    });
    expect(await textedBy(own, { locale: 'de', app: 'android' })).toBe(
      '{code} ist Ihr Code für Latchkey. Er gilt 10 Minuten. Geben Sie ihn nicht weiter.\n\nFA+9qCX9VSu\n@app.example.com #{code}',
    );
  });

  it('stops the boot with all that is wrong in one error, by file and purpose', async () => {
    const directory = await templates('bad', {
      'bn.json': { sign_in: `{code} ${'আপনার কোড '.repeat(6)}` },
      'de.json': { sign_in: 'Ihr Code: {code}', phone_change: '{code} {name}' },
      'en.json': '{ "sign_in": ',
      'es.json': ['{code}'],
      'fr.json': { signin: '{code}' },
      'it.json': { sign_in: 4821 },
      'nl.json': { phone_change_notice: 'Zie https://example.com' },
      'PT-br.json': {},
      'pt-BR.json': {},
      'pt_PT.json': {},
      'sv.json': { sign_in: '{code} på 1984' },
    });
    const { code, stdout, stderr } = await run({
      environment: {
        DATABASE_URL: await harness.database(),
        APP_SECRET: 'a-secret-for-tests-and-for-nothing-else',
        SMS_TEMPLATES_DIR: directory,
      },
      directory: folder,
    });
    expect([code, stdout]).toEqual([1, expect.not.stringContaining('serves after')]);
    expect(stderr.trim().split('\n')).toEqual([
      'The texts of SMS_TEMPLATES_DIR cannot be sent as they are:',
      '  - en.json is not JSON',
      '  - es.json must hold a JSON object',
      '  - fr.json holds "signin", and may hold sign_in, phone_change, phone_change_notice',
      '  - it.json must hold a string under sign_in',
      '  - pt-BR.json is for the same language as PT-br.json',
      '  - pt_PT.json is not named after a language (BCP 47), like pt-BR.json',
      expect.stringMatching(
        /^ {2}- bn\.json: sign_in is 21 too long for one segment: 91 of 70 \(UCS-2, because of . . . . .\)$/u,
      ),
      '  - de.json: sign_in must start with {code}, so that a notification shows it',
      '  - de.json: phone_change may hold no braces but those of {code}, {app}, {minutes}',
      '  - nl.json: phone_change_notice holds what looks like a link: https://example.com',
      '  - sv.json: sign_in holds a number that phones would take for the code: 1984',
      'Mend them and start again.',
    ]);
  });

  it.each([
    ['a folder that is not there', 'nowhere', 'is no folder that can be read'],
    ['a folder without texts', '.', 'holds no file like pt-BR.json'],
  ])('stops the boot for %s', async (_, path, fault) => {
    const directory = join(await mkdtemp(join(folder, 'empty-')), path);
    const started = TestApp.start({ env: { SMS_TEMPLATES_DIR: directory } });
    await expect(started).rejects.toThrow(`${directory} ${fault}`);
  });

  it('takes a text that fills its segment, and none of a letter more', async () => {
    const words = `{code} ${'x'.repeat(123)}`;
    const good = await templates('just', { 'de.json': { sign_in: words } });
    const own = await TestApp.start({ env: { SMS_TEMPLATES_DIR: good, SMS_DOMAIN: 'app.example.com' } });
    expect(await textedBy(own, { locale: 'de' })).toHaveLength(`${words}\n\n@app.example.com #{code}`.length);
    const bad = await templates('over', { 'de.json': { sign_in: `${words}x` } });
    const started = TestApp.start({ env: { SMS_TEMPLATES_DIR: bad, SMS_DOMAIN: 'app.example.com' } });
    await expect(started).rejects.toThrow(
      'de.json: sign_in is 1 too long for one segment: 161 of 160 (GSM-7)',
    );
  });
});

describe('a host too long for the last line of a text', () => {
  it('is told at boot with the languages, which go without that line', async () => {
    const domain = `${'x'.repeat(50)}.example.com`;
    const own = await TestApp.start({ env: { SMS_DOMAIN: domain } });
    expect(own.started.log.lines.join('')).toContain(`Texts in hi, ar have no room for the line @${domain}`);
    expect(await textedBy(own, { locale: 'hi' })).toMatch(/^\{code\} आपका [^\n]+$/);
    expect(await textedBy(own, { locale: 'en' })).toContain(`\n\n@${domain} #{code}`);
  });

  it('is none in a usual installation', () => {
    expect(app.started.log.lines.join('')).not.toContain('no room');
  });
});
