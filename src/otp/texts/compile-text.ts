import { codeDrafts, type Draft, plainDrafts, type Setting } from './draft.js';
import { outsideGsm7 } from './segment.js';
import { templateFaults } from './template.js';
import type { TextSource } from './text-source.js';

/** A text with all in it but the code. */
export interface CompiledText {
  /** The text for each Android hash; that of `undefined` is without one. */
  byHash: Map<string | undefined, string>;
  /** Whether the line of the domain found no room in the text without a hash. */
  lacksDomainLine: boolean;
}

/** @returns what is wrong in place of the text: in words that follow its name. */
export function compileText(
  source: TextSource,
  setting: Setting,
  hashes: readonly string[],
): CompiledText | { faults: string[] } {
  const { purpose, wordings } = source;
  const faults = wordings.flatMap((wording) => templateFaults(wording, purpose, setting));
  if (faults.length > 0) return { faults };
  const byHash = new Map<string | undefined, string>();
  let lacksDomainLine = false;
  const isNotice = purpose === 'phone_change_notice';
  for (const hash of isNotice ? [undefined] : [undefined, ...hashes]) {
    const drafts = isNotice ? plainDrafts(wordings, setting) : draftsOfCode(source, setting, hash);
    const fitting = drafts.find(({ use }) => use.excess === 0);
    if (!fitting) return { faults: drafts.slice(-1).map(tooLong) };
    byHash.set(hash, fitting.text);
    lacksDomainLine ||= !isNotice && hash === undefined && !fitting.hasDomainLine;
  }
  return { byHash, lacksDomainLine };
}

function draftsOfCode(source: TextSource, setting: Setting, hash: string | undefined): Draft[] {
  const drafts = codeDrafts(source.wordings, setting, hash);
  // Whoever writes a text can shorten it. What Latchkey brings must not stop a host that never chose its language.
  const mustHaveDomainLine = source.file !== undefined && hash === undefined;
  return mustHaveDomainLine ? drafts.filter(({ hasDomainLine }) => hasDomainLine) : drafts;
}

function tooLong({ text, use: { encoding, size, excess } }: Draft): string {
  const shown = outsideGsm7(text).slice(0, 5).join(' ');
  const why = encoding === 'UCS-2' ? ` (UCS-2, because of ${shown})` : ` (${encoding})`;
  return `is ${excess} too long for one segment: ${size} of ${size - excess}${why}`;
}
