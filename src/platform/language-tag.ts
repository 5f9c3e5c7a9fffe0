/** A language tag (BCP 47) in its canonical form, like `pt-BR`; undefined for any other text. */
export function canonicalLanguageTag(text: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(text)[0];
  } catch {
    return undefined;
  }
}
