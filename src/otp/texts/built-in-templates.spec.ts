import fc from 'fast-check';

import { smsConfig } from '../../sms/sms.config.js';
import { BUILT_IN_TEMPLATES } from './built-in-templates.js';
import { compileText } from './compile-text.js';
import { minutesIn } from './minutes.js';
import { outsideGsm7, segmentUse } from './segment.js';
import { textSources } from './text-source.js';

const HASH = 'FA+9qCX9VSu';
const sources = textSources([]);
const compiled = (source: (typeof sources)[number], app: string, domain: string, ttlSeconds = 600) => {
  const text = compileText(source, { app, domain, minutes: minutesIn(source.locale, ttlSeconds) }, [HASH]);
  if ('faults' in text) throw new Error(text.faults.join());
  return text;
};

describe('what Latchkey brings', () => {
  it('is in six languages', () => {
    expect(Object.keys(BUILT_IN_TEMPLATES)).toEqual(['en', 'pt', 'es', 'fr', 'hi', 'ar']);
    expect(sources).toHaveLength(18);
  });

  it('fits one segment with any name, host, hash and life', () => {
    const rule = smsConfig.variables['SMS_APP_NAME']?.schema;
    const name = fc.oneof(
      fc.integer({ min: 1, max: 30 }).map((length) => 'A'.repeat(length)),
      fc
        .string({ unit: fc.constantFrom(...Array.from(".,&'()+- 0123abcXYZ")), minLength: 1, maxLength: 30 })
        .filter((text) => rule?.safeParse(text).success !== false),
    );
    const host = fc.integer({ min: 1, max: 253 }).map((length) => 'x'.repeat(length));
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        name,
        host,
        fc.integer({ min: 1, max: 600 }),
        (source, ...setting) => {
          for (const text of compiled(source, ...setting).byHash.values()) {
            expect(segmentUse(text.replaceAll('{code}', '88888888')).excess).toBe(0);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each(['localhost', 'app.example.com'])('has the line of %s in every language', (domain) => {
    const lacking = sources.filter((source) => compiled(source, 'Latchkey', domain).lacksDomainLine);
    expect(lacking).toEqual([]);
  });

  it('says in Latin letters all that it has to say beside a host of usual length', () => {
    for (const source of sources.filter(({ locale }) => !/hi|ar/.test(locale))) {
      expect(source.wordings.flatMap(outsideGsm7)).toEqual([]);
      const text = compiled(source, 'Latchkey', 'app.example.com').byHash.get(undefined);
      const [best = ''] = source.wordings;
      expect(text?.startsWith(best.replace('{app}', 'Latchkey').split('{minutes}')[0] ?? '')).toBe(true);
    }
  });

  it('tells the life of a code beside the hash of an Android app, without the line of the host if need be', () => {
    for (const source of sources.filter(({ purpose }) => purpose === 'sign_in')) {
      const text = compiled(source, 'Latchkey', 'app.example.com').byHash.get(HASH);
      expect(text).toContain(minutesIn(source.locale, 600));
      expect(text).toMatch(/^\{code\}[^\n]+\n\nFA\+9qCX9VSu(\n@app\.example\.com #\{code\})?$/);
    }
  });

  it('starts each line of Arabic with an Arabic letter, so that it runs from the right', () => {
    for (const wording of sources
      .filter(({ locale }) => locale === 'ar')
      .flatMap(({ wordings }) => wordings)) {
      const [first] = /\p{L}/u.exec(wording.replace('{code}', '')) ?? [];
      expect(first).toMatch(/\p{Script=Arabic}/u);
    }
  });

  it('tells what a code is for', () => {
    for (const locale of Object.keys(BUILT_IN_TEMPLATES)) {
      const wordings = sources
        .filter((source) => source.locale === locale)
        .flatMap(({ wordings }) => wordings);
      expect(new Set(wordings).size).toBe(wordings.length);
    }
  });
});
