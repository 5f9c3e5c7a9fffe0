import { OperatorError } from '../../platform/operator-error.js';
import type { SmsPurpose } from '../../sms/sms-sender.js';
import { compileText } from './compile-text.js';
import { readHostTemplates } from './host-templates.js';
import { localeFallbacks } from './locale-fallbacks.js';
import { minutesIn } from './minutes.js';
import { fill } from './template.js';
import { type TextSource, textSources } from './text-source.js';

/** What the texts of an installation are made of. */
export interface TextsSetting {
  app: string;
  ttlSeconds: number;
  domain: string;
  androidAppHashes: readonly string[];
  /** The folder of the host's own templates. */
  directory: string | undefined;
}

export interface TextToWrite {
  purpose: SmsPurpose;
  /** Language tags (BCP 47), the most wanted first. */
  languages: readonly string[];
  /** One of the installation's. */
  androidAppHash?: string | undefined;
  /** Absent in a notice. */
  code?: string;
}

const DEFAULT_LOCALE = 'en';

/** The texts of every language: checked, and written but for the code. */
export class SmsTemplates {
  private constructor(
    private readonly texts: ReadonlyMap<string, string>,
    /** What an operator should know, though every text can be sent. */
    readonly warnings: readonly string[],
  ) {}

  /** @throws {OperatorError} with every text that cannot be sent as it is, and why. */
  static load({ directory, androidAppHashes, ttlSeconds, ...same }: TextsSetting): SmsTemplates {
    const host = directory === undefined ? { templates: [], faults: [] } : readHostTemplates(directory);
    const faults = [...host.faults];
    const texts = new Map<string, string>();
    const guessed = new Set<string>();
    for (const source of textSources(host.templates)) {
      const { locale, purpose } = source;
      const setting = { ...same, minutes: minutesIn(locale, ttlSeconds) };
      const compiled = compileText(source, setting, androidAppHashes);
      if ('faults' in compiled) {
        faults.push(...compiled.faults.map((fault) => `${nameOf(source)} ${fault}`));
        continue;
      }
      for (const [hash, text] of compiled.byHash) texts.set(keyOf(locale, purpose, hash), text);
      if (compiled.lacksDomainLine) guessed.add(locale);
    }
    if (faults.length > 0) throw new OperatorError(refusal(faults));
    return new SmsTemplates(texts, guessed.size > 0 ? [guessWarning(guessed, same.domain)] : []);
  }

  /** The text in the first of the languages that there is one in; in English where there is none. */
  write({ purpose, languages, androidAppHash, code }: TextToWrite): string {
    for (const language of [...languages, DEFAULT_LOCALE]) {
      for (const locale of localeFallbacks(language)) {
        const text = this.texts.get(keyOf(locale, purpose, androidAppHash));
        if (text !== undefined) return code === undefined ? text : fill(text, { code });
      }
    }
    throw new Error(`there is no text for ${purpose}`);
  }
}

function keyOf(locale: string, purpose: SmsPurpose, androidAppHash: string | undefined): string {
  return `${locale} ${purpose} ${androidAppHash ?? ''}`;
}

function nameOf({ file, locale, purpose }: TextSource): string {
  return file === undefined ? `Latchkey's own ${purpose} in ${locale}` : `${file}: ${purpose}`;
}

function refusal(faults: readonly string[]): string {
  const list = faults.map((fault) => `  - ${fault}`).join('\n');
  return `The texts of SMS_TEMPLATES_DIR cannot be sent as they are:\n${list}\nMend them and start again.`;
}

function guessWarning(locales: ReadonlySet<string>, domain: string): string {
  return (
    `Texts in ${[...locales].join(', ')} have no room for the line @${domain} #code, so phones only guess at their ` +
    'codes: a shorter SMS_DOMAIN mends that'
  );
}
