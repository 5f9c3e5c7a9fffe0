/**
 * The locales whose texts would do for a reader of that language, best first: the tag itself, then with what it leaves
 * unsaid (`zh-TW` is written in `zh-Hant`), then the bare language.
 *
 * @param tag a language tag (BCP 47).
 */
export function localeFallbacks(tag: string): string[] {
  const asked = new Intl.Locale(tag);
  const { language, script, region } = asked.maximize();
  const wider = [[language, script, region], [language, script], [language, region], [language]];
  const tags = wider.map((parts) => parts.filter((part) => part !== undefined).join('-'));
  return [...new Set([asked.baseName, ...tags])];
}
