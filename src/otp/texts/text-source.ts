import type { SmsPurpose } from '../../sms/sms-sender.js';
import { BUILT_IN_TEMPLATES } from './built-in-templates.js';
import type { HostTemplate } from './host-templates.js';
import { isPurpose } from './template.js';

/** A text of one language, yet to be written. */
export interface TextSource {
  locale: string;
  purpose: SmsPurpose;
  /** The best first. */
  wordings: readonly string[];
  /** That of a text of the host. */
  file?: string;
}

/** Every text there is: what Latchkey brings, and in its place or beside it what the host has. */
export function textSources(host: readonly HostTemplate[]): TextSource[] {
  const sources = [...builtIn(), ...host.map(ofHost)];
  return [...new Map(sources.map((source) => [`${source.locale} ${source.purpose}`, source])).values()];
}

function builtIn(): TextSource[] {
  return Object.entries(BUILT_IN_TEMPLATES).flatMap(([locale, texts]) =>
    Object.entries(texts).flatMap(([purpose, wordings]) =>
      isPurpose(purpose) ? [{ locale, purpose, wordings }] : [],
    ),
  );
}

function ofHost({ template, ...source }: HostTemplate): TextSource {
  return { ...source, wordings: [template] };
}
