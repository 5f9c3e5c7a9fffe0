import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { canonicalLanguageTag } from '../../platform/language-tag.js';
import type { SmsPurpose } from '../../sms/sms-sender.js';
import { isPurpose, SMS_PURPOSES } from './template.js';

/** A text of the host's own. */
export interface HostTemplate {
  /** The name of its file. */
  file: string;
  locale: string;
  purpose: SmsPurpose;
  template: string;
}

/** What a folder holds, and what is wrong with it: in words for whoever wrote the files. */
export interface HostTemplates {
  templates: HostTemplate[];
  faults: string[];
}

const EXTENSION = '.json';

/** Reads the files `<locale>.json` of a folder; others are left alone. */
export function readHostTemplates(directory: string): HostTemplates {
  const files = filesOf(directory);
  if (!files) return { templates: [], faults: [`${directory} is no folder that can be read`] };
  const locales = new Map<string, string>();
  const templates: HostTemplate[] = [];
  const faults: string[] = [];
  for (const file of files) {
    try {
      const locale = localeOf(file);
      const other = locales.get(locale);
      if (other !== undefined) throw new FileFault(`is for the same language as ${other}`);
      locales.set(locale, file);
      for (const [purpose, template] of textsOf(join(directory, file))) {
        templates.push({ file, locale, purpose, template });
      }
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      faults.push(`${file} ${error.message}`);
    }
  }
  if (files.length === 0) faults.push(`${directory} holds no file like pt-BR${EXTENSION}`);
  return { templates, faults };
}

class FileFault extends Error {}

function filesOf(directory: string): string[] | undefined {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(EXTENSION) && !name.startsWith('.'))
      .sort();
  } catch {
    return undefined;
  }
}

function localeOf(file: string): string {
  const locale = canonicalLanguageTag(file.slice(0, -EXTENSION.length));
  if (locale === undefined || new Intl.Locale(locale).baseName !== locale) {
    throw new FileFault(`is not named after a language (BCP 47), like pt-BR${EXTENSION}`);
  }
  return locale;
}

function textsOf(path: string): [SmsPurpose, string][] {
  return Object.entries(objectIn(path)).map(([purpose, template]) => {
    if (!isPurpose(purpose)) {
      throw new FileFault(`holds ${JSON.stringify(purpose)}, and may hold ${SMS_PURPOSES.join(', ')}`);
    }
    if (typeof template !== 'string') throw new FileFault(`must hold a string under ${purpose}`);
    // An accent that stands apart from its letter would be outside of GSM-7.
    return [purpose, template.normalize('NFC')];
  });
}

function objectIn(path: string): object {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new FileFault(error instanceof SyntaxError ? 'is not JSON' : 'cannot be read');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new FileFault('must hold a JSON object');
  }
  return content;
}
